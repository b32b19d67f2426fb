/** Names and values of sysctls. Pure. */

/** A part of a name: a folder or file of /proc/sys. It begins with no dot, so `..` is none. */
const PART = /^[A-Za-z0-9_@:+-][A-Za-z0-9_.@:+-]*$/

/**
 * Returns the folders and the file of a sysctl below /proc/sys, or null if the text is not the name of one in `net`. As
 * with sysctl(8), the first separator counts: `net.ipv4.conf.eth0/100.rp_filter` and `net/ipv4/conf/eth0.100/rp_filter`
 * are the same.
 */
export function sysctlParts(name: string): readonly string[] | null {
  const separator = /[./]/.exec(name)?.[0] ?? '.'
  const parts = separator === '/' ? name.split('/') : name.split('.').map(part => part.replaceAll('/', '.'))
  return parts.length > 1 && parts[0] === 'net' && parts.every(part => PART.test(part)) ? parts : null
}

/** Returns the name with dots between its parts. Equal sysctls have equal names. */
export function sysctlName(parts: readonly string[]): string {
  return parts.map(part => part.replaceAll('.', '/')).join('.')
}

/** True if the kernel has this value. It shows several numbers with tabs between them. */
export function sameValue(one: string, other: string): boolean {
  return plainValue(one) === plainValue(other)
}

export function plainValue(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}
