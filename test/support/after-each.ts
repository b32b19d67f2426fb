/** Closes what a test left open. Register with `later(() => server.close())`. */
const cleanups: (() => unknown)[] = []

export function later(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

export const mochaHooks = {
  async afterEach() {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  },
}
