/**
 * Maintenance by files: a file in a folder, named after a real server, holds that server down. The names are
 * ldirectord's: address and port, address, host name and port, host name, each name also without its domain. Pure.
 */
import { type Address, bracketed } from '../core/address.js'
import type { ResolvedMember, ResolvedReal } from '../core/model.js'

/** Returns the file names that hold this server down. `names` are the DNS names of its address. */
export function fileNamesFor(
  real: Pick<ResolvedMember, 'host' | 'address' | 'port'>,
  names: readonly string[],
): string[] {
  const addresses = real.address ? [bracketed(real.address), real.address.text] : []
  const written = real.host === real.address?.text ? [] : [real.host]
  const hosts = [...written, ...names].flatMap(name => [name, name.split('.')[0] ?? name])
  return [...new Set([...addresses, ...hosts])].flatMap(name => [`${name}:${real.port}`, name])
}

/** Returns the files that match no real server, for example because of a typing error. */
export function unmatched(
  reals: readonly ResolvedReal[],
  files: readonly string[],
  namesOf: (address: Address) => readonly string[],
): string[] {
  if (files.length === 0) return []
  const known = new Set(reals.flatMap(real => fileNamesFor(real, real.address ? namesOf(real.address) : [])))
  // Dot files belong to editors and file systems.
  return files.filter(file => !known.has(file) && !file.startsWith('.') && file !== 'lost+found')
}

/** Returns the real servers that are held down, each with its file. */
export function matchOverrides(
  reals: readonly ResolvedReal[],
  files: ReadonlySet<string>,
  namesOf: (address: Address) => readonly string[],
): Map<ResolvedReal, string> {
  const held = new Map<ResolvedReal, string>()
  if (files.size === 0) return held
  for (const real of reals) {
    const file = fileNamesFor(real, real.address ? namesOf(real.address) : []).find(name => files.has(name))
    if (file !== undefined) held.set(real, file)
  }
  return held
}
