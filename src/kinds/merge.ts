/**
 * All kinds by name and alias. A user's kind wins over one that lvsd brings, so that a later lvsd with a kind of the
 * same name changes nothing; of two users' kinds the first wins. Pure.
 */
import type { Check } from '../check/check.js'

/** A kind of a user's folder. */
export interface Candidate {
  readonly file: string
  readonly check: Check
}

export interface Merged {
  readonly checks: ReadonlyMap<string, Check>
  /** Which names are taken from others, a sentence each. */
  readonly replaced: readonly string[]
}

/** The users' kinds are in the order in which they win over each other. */
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

/** The names that the candidate gets, and what it does not get. Without its own name it is not used at all. */
function claim(candidate: Candidate, owners: Map<string, Candidate>): string[] {
  const { file, check } = candidate
  const first = owners.get(check.name)
  if (first) return [`${file}: it is not used, because ${first.file} has the name "${check.name}" before it`]
  const warnings: string[] = []
  for (const name of namesOf(check)) {
    const other = owners.get(name)
    if (other && other !== candidate)
      warnings.push(`${file}: the alias "${name}" is not used, because ${other.file} has this name before it`)
    else owners.set(name, candidate)
  }
  return warnings
}

function sentenceOn(name: string, check: Check, { file }: Candidate): string {
  const ours = name === check.name ? 'the kind of that name' : `the kind "${check.name}"`
  return `${file}: it takes the place of ${ours} that lvsd brings wherever a configuration says "${name}"`
}

/** A kind that has lost its own name lives on under an alias: its name in a configuration must lead back to it. */
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
