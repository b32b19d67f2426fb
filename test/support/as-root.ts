/** For tests that need another user: only root can switch to one. */
import assert from 'node:assert/strict'

/** User id of nobody, which is neither root nor the user that runs the tests. */
export const NOBODY = 65_534

/** Skips a test with a message if the user is not root. In CI this is a failure. */
export function needsRoot(skip: () => void): void {
  if (process.getuid?.() === 0) return
  assert.ok(!process.env.CI, 'CI runs these tests as root')
  console.log('      left out: only root can act as another user')
  skip()
}
