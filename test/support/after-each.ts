/**
 * Closes what a test left open, and makes it silent. Register with `onCleanup(() => server.close())`. At the end of the unit tests (in
 * parallel mode: of each file) no new resource may keep the process alive. Mocha kills its parallel processes, so this
 * check is the only one that detects such a resource.
 *
 * The list of cleanups is a property of the process, not of this module: Mocha loads hooks and tests with require, but
 * imports a test with a top-level await, which then has its own instances of the modules.
 */
import { setImmediate } from 'node:timers/promises'
import { until } from './until.js'

const CLEANUPS = Symbol.for('lvsd.test.cleanups')

type Cleanups = (() => unknown)[]
const shared = globalThis as typeof globalThis & { [CLEANUPS]?: Cleanups }
shared[CLEANUPS] ??= []
const cleanups: Cleanups = shared[CLEANUPS]

const ended = new WeakSet<Mocha.Test>()
/** Functions made by `endsWithTest`, with those of the tests: Mocha repeats a test with the function that it has last. */
const functions = new WeakMap<object, Mocha.AsyncFunc>()

/**
 * Makes a test silent when it has ended. The function of a test that has exceeded its time limit, or has failed by an
 * uncaught error, goes on. Its late rejection would be an error of the test after it, whose function then goes on in
 * turn, and so on to the end of the process.
 */
function endsWithTest(test: Mocha.Test, isOver: () => boolean): void {
  // A test with a callback is left as it is.
  if (!test.fn || test.fn.length > 0) return
  const own = functions.get(test.fn) ?? (test.fn as Mocha.AsyncFunc)
  test.fn = function (this: Mocha.Context) {
    const result: unknown = own.call(this)
    if (!(result instanceof Promise)) return result as PromiseLike<unknown>
    return new Promise((resolve, reject) =>
      result.then(
        value => isOver() || resolve(value),
        error => isOver() || reject(error),
      ),
    )
  }
  functions.set(test.fn, own)
}

/** Milliseconds to wait for resources that close by themselves. */
const PATIENCE = 5000

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

let before: readonly string[] = []
let left: readonly string[] = []

/** Returns the resources that keep the process alive: `Timeout`, `TCPSocketWrap`, one entry for each. */
async function keepingAlive(): Promise<string[]> {
  // A timer that has just fired is counted until the next turn.
  await setImmediate()
  return process.getActiveResourcesInfo().filter(kind => kind !== 'Immediate')
}

/** Returns the resources that did not exist before the tests. */
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

  beforeEach(this: Mocha.Context) {
    const { currentTest } = this
    if (currentTest) endsWithTest(currentTest, () => ended.has(currentTest))
  },

  async afterEach(this: Mocha.Context) {
    if (this.currentTest) ended.add(this.currentTest)
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  },

  async afterAll(this: Mocha.Context) {
    // The time limit of the hook would be counted as a timer.
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
