/** The version in the answer to HELLO, which has names and values in turn; null if there is none. */
export function versionIn(hello: unknown): string | null {
  if (!Array.isArray(hello)) return null
  const i = hello.indexOf('version')
  return i >= 0 && i % 2 === 0 && typeof hello[i + 1] === 'string' ? hello[i + 1] : null
}
