const LONGEST = 40

/**
 * The version in the answer to HELLO, which has names and values in turn: `7.0.15`, or with the name of a server that is
 * not Redis itself, `Valkey 8.1.1`. Null if there is none.
 */
export function versionIn(hello: unknown): string | null {
  if (!Array.isArray(hello)) return null
  const version = wordIn(hello, 'version')
  const server = wordIn(hello, 'server')
  if (version === null || server === null || server.toLowerCase() === 'redis') return version
  return `${server.charAt(0).toUpperCase()}${server.slice(1)} ${version}`
}

function wordIn(hello: readonly unknown[], name: string): string | null {
  const i = hello.indexOf(name)
  const word: unknown = i >= 0 && i % 2 === 0 ? hello[i + 1] : null
  return typeof word === 'string' && word.length <= LONGEST && /^[\w.+-]+$/.test(word) ? word : null
}
