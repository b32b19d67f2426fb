/** Ends at once, with a sentence, on a Node that is too old. The entry imports this first: the rest would not load. */

/** As `engines` in package.json has it. */
const OLDEST = [20, 19]

/** What to tell on this version of Node, or null where it will do. */
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
