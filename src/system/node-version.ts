/** Ends the process if Node is too old. The entry imports this file first, because the others may not load. */

/** The minimum version; must equal `engines` in package.json. */
const OLDEST = [20, 19]

/** Returns the message for a Node version that is too old, else null. */
export function whyTooOld(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return null
  return `this is Node.js ${version} (${process.execPath}); lvsd needs ${OLDEST.join('.')} or later`
}

const problem = whyTooOld(process.versions.node)
if (problem !== null) {
  console.error(`lvsd: ${problem}`)
  process.exit(5)
}
