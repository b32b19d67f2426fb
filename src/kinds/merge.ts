/**
 * Merges all kinds by name and alias. A user's kind takes precedence over one of lvsd, so that a later version of lvsd
 * with a kind of the same name changes nothing. Of two users' kinds, the first takes precedence. Pure.
 */
import type { Check } from '../check/check.js'

/** A kind from a user's folder. */
export interface Candidate {
  readonly file: string
  readonly check: Check
}

export interface Merged {
  readonly checks: ReadonlyMap<string, Check>
  /** Names that user kinds take from other kinds, as sentences. */
  readonly replaced: readonly string[]
}

/** Merges the kinds. `users` is in order of precedence. */
export function merged(shipped: readonly Check[], users: readonly Candidate[]): Merged {
  const owners = new Map<string, Candidate>()
  const sentences: string[] = []
  for (const candidate of users) sentences.push(...claim(candidate, owners))
  const checks = new Map<string, Check>()
  for (const check of shipped) {
    const left = namesOf(check).filter(name => !owners.has(name))
    const lost = namesOf(check).filter(name => owners.has(name))
    sentences.push(...lost.map(name => sentenceOn(name, check, owners.get(name) as Candidate)))
    register(renamed(check, left), left, checks)
  }
  for (const { check } of new Set(owners.values())) {
    const names = namesOf(check).filter(name => owners.get(name)?.check === check)
    register(renamed(check, names), names, checks)
  }
  return { checks, replaced: sentences }
}

/** Registers the names of a candidate and returns warnings. A kind whose own name is taken is not used. */
function claim(candidate: Candidate, owners: Map<string, Candidate>): string[] {
  const { file, check } = candidate
  const first = owners.get(check.name)
  if (first) return [`${file}: it is not used, because ${first.file} already uses the name "${check.name}"`]
  const warnings: string[] = []
  for (const name of namesOf(check)) {
    const other = owners.get(name)
    if (other && other !== candidate)
      warnings.push(`${file}: the alias "${name}" is not used, because ${other.file} already uses this name`)
    else owners.set(name, candidate)
  }
  return warnings
}

function sentenceOn(name: string, check: Check, { file }: Candidate): string {
  return `${file}: it replaces lvsd's kind "${check.name}" under the name "${name}"`
}

/**
 * Returns the kind with the remaining names. A kind that lost its name gets the first alias as its name, because that
 * name must identify it in a configuration.
 */
function renamed(check: Check, names: readonly string[]): Check {
  const [name = check.name, ...aliases] = names
  const { aliases: before = [] } = check
  if (name === check.name && aliases.length === before.length) return check
  return { ...check, name, aliases }
}

function register(check: Check, names: readonly string[], checks: Map<string, Check>): void {
  for (const name of names) checks.set(name, check)
}

function namesOf({ name, aliases = [] }: Check): readonly string[] {
  return [name, ...aliases]
}
