/**
 * Closes what a test left open. Register with `onCleanup(() => server.close())`.
 *
 * What is to be closed lies with the process, and not in this module: Mocha requires the hooks and the tests, but imports
 * a test that awaits at its top, whose modules are then others than those of the hooks.
 */
const CLEANUPS = Symbol.for('lvsd.test.cleanups')

type Cleanups = (() => unknown)[]
const shared = globalThis as typeof globalThis & { [CLEANUPS]?: Cleanups }
shared[CLEANUPS] ??= []
const cleanups: Cleanups = shared[CLEANUPS]

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

export const mochaHooks = {
  async afterEach() {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  },
}
