/** Hashes of the services of a configuration, to compare the configurations of several directors. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Check } from '../check/check.js'
import type { IsSecretName } from '../config/secret-text.js'
import type { Service } from '../core/model.js'

export interface ConfigParts {
  /** Hash of all services. */
  readonly hash: string
  /** Hash of each service by its name, and of each file of a user's check by `check file NAME`. */
  readonly services: Readonly<Record<string, string>>
}

type Checks = ReadonlyMap<string, Check>
/** A file of a user's check: its name without the folder, and a hash of its content and its helpers. */
type CheckFile = readonly [name: string, version: string]

const known = new WeakMap<readonly Service[], { readonly checks: Checks; readonly parts: ConfigParts }>()

/** Secrets are left out: a hash of a short password can be guessed. So directors whose passwords differ count as equal. */
export function configParts(
  services: readonly Service[],
  checks: Checks,
  isSecret: IsSecretName,
): ConfigParts {
  const before = known.get(services)
  if (before?.checks === checks) return before.parts
  const parts = partsOf(services, checks, isSecret)
  known.set(services, { checks, parts })
  return parts
}

function partsOf(services: readonly Service[], checks: Checks, isSecret: IsSecretName): ConfigParts {
  const files = new Map<string, string>()
  const hashes = services.map(service => {
    const own = filesOf(service, checks)
    for (const [name, version] of own) files.set(`check file ${name}`, version.slice(0, 8))
    return [service.name, hashOf(textOf(service, own, isSecret), 8)] as const
  })
  const byName = [...hashes, ...files].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { hash: hashOf(JSON.stringify(byName), 12), services: Object.fromEntries(byName) }
}

/** Returns the users' files whose code checks a service; they are part of what is asked. */
function filesOf({ reals }: Service, checks: Checks): readonly CheckFile[] {
  const kinds = new Set(reals?.flatMap(real => real.checks.map(({ kind }) => kind)))
  const used = [...kinds].sort().map(kind => checks.get(kind))
  return used.flatMap(check =>
    check?.module && check.version ? [[basename(pathOf(check.module)), check.version] as const] : [],
  )
}

function pathOf(module: string): string {
  return fileURLToPath(new URL(module))
}

function hashOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

/** Which addresses are one machine counts for commands alone. */
function textOf(
  { multihomed: _, ...service }: Service,
  files: readonly CheckFile[],
  isSecret: IsSecretName,
): string {
  const text = JSON.stringify(service, (key, value: unknown) => {
    if (isSecret(key)) return null
    if (value instanceof RegExp) return String(value)
    if (value instanceof Map || value instanceof Set) return [...value]
    return isPlain(value) ? sorted(value) : value
  })
  // Without such files the hash is that of an lvsd which does not compare them.
  return files.length === 0 ? text : `${text}${JSON.stringify(files)}`
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The order of keys in the file does not count. */
function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
