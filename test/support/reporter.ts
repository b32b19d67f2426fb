/**
 * Mocha's reporter `spec`, which also lists tests that passed only when repeated. Tests with real servers have time
 * limits that a busy machine may exceed. More than `MOST` repeated tests are a failure. In CI a skipped test that is not
 * listed in left-out.ts is a failure too.
 */
import Mocha from 'mocha'
import { endNow } from '../../src/system/exit.js'
import { wronglyLeftOut } from './left-out.js'

/** Maximum number of repeated tests in one run. */
const MOST = 3

const { EVENT_TEST_PENDING, EVENT_TEST_RETRY } = Mocha.Runner.constants

export default class Reporter extends Mocha.reporters.Spec {
  readonly #again: string[] = []
  readonly #leftOut: string[] = []

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.on(EVENT_TEST_PENDING, test => this.#leftOut.push(test.fullTitle()))
    runner.on(EVENT_TEST_RETRY, (test, error) =>
      this.#again.push(`${test.fullTitle()}\n${error.stack?.split('\n').slice(0, 4).join('\n')}`),
    )
  }

  override done(failures: number, end?: (failures: number) => void): void {
    for (const test of this.#again) console.log(`\n  tried again: ${test.replaceAll('\n', '\n    ')}`)
    const isTooMany = this.#again.length > MOST
    if (isTooMany)
      console.log(`\n  ${this.#again.length} tests were tried again, at most ${MOST} are let pass\n`)
    const wrong = /^(1|true)$/.test(process.env.CI ?? '') ? wronglyLeftOut(this.#leftOut) : []
    for (const title of wrong) console.log(`\n  left out, and in CI a failure (left-out.ts): ${title}\n`)
    const failed = failures + (isTooMany ? 1 : 0) + wrong.length
    // Node.js may hang while its threads end (its issue 54918), and in a lab only the time limit would notice.
    if (process.env.LAB_KIND) endNow(Math.min(failed, 100), true)
    end?.(failed)
  }
}
