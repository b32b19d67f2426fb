/**
 * Closes what a test left open. Register with `onCleanup(() => server.close())`. At the end of unit tests, in parallel of each
 * file, nothing may keep the process alive that did not at the beginning: Mocha ends its parallel processes by force, so
 * nobody else would see what hangs.
 *
 * What is to be closed lies with the process, and not in this module: Mocha requires the hooks and the tests, but imports
 * a test that awaits at its top, whose modules are then others than those of the hooks.
 */
import { setImmediate } from 'node:timers/promises'
import { until } from './until.js'

const CLEANUPS = Symbol.for('lvsd.test.cleanups')

type Cleanups = (() => unknown)[]
const shared = globalThis as typeof globalThis & { [CLEANUPS]?: Cleanups }
shared[CLEANUPS] ??= []
const cleanups: Cleanups = shared[CLEANUPS]

/** Milliseconds for what closes on its own. */
const PATIENCE = 5000

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

let before: readonly string[] = []
let left: readonly string[] = []

/** What keeps the process alive: `Timeout`, `TCPSocketWrap`, each as often as it is there. */
async function keepingAlive(): Promise<string[]> {
  // Until then a timer that has gone off is counted.
  await setImmediate()
  return process.getActiveResourcesInfo().filter(kind => kind !== 'Immediate')
}

/** The same without what was there before the tests. */
async function leftOpen(): Promise<string[]> {
  const known = [...before]
  return (await keepingAlive()).filter(kind => {
    const at = known.indexOf(kind)
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}

export const mochaHooks = {
  async beforeAll(this: Mocha.Context) {
    this.timeout(0)
    before = await keepingAlive()
  },

  async afterEach() {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  },

  async afterAll(this: Mocha.Context) {
    // Its limit of time would be a timer as well.
    this.timeout(0)
    const file = this.test?.parent?.suites[0]?.file ?? ''
    if (!file.includes('/test/unit/')) return
    const what = () => `${file} or a file after it has left open: ${left.join(', ')}`
    await until(
      async () => {
        left = await leftOpen()
        return left.length === 0
      },
      { patience: PATIENCE, what },
    )
  },
}
