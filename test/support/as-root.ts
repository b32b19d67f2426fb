/** Tests that need another user: only root can be one. */
import assert from 'node:assert/strict'

/** Nobody: a user who is neither root nor the one that runs the tests. */
export const NOBODY = 65_534

/** Leaves a test out, with a word, where this is not root; in CI that is a failure. */
export function needsRoot(skip: () => void): void {
  if (process.getuid?.() === 0) return
  assert.ok(!process.env.CI, 'CI runs these tests as root')
  console.log('      left out: only root can act as another user')
  skip()
}
