/** Hashes of the services of a configuration, to compare the configurations of several directors. */
import { createHash } from 'node:crypto'
import type { IsSecretName } from '../config/secret-text.js'
import type { Service } from '../core/model.js'

export interface ConfigParts {
  /** Hash of all services. */
  readonly hash: string
  /** Hash of each service by its name. */
  readonly services: Readonly<Record<string, string>>
}

const known = new WeakMap<readonly Service[], ConfigParts>()

/** Secrets are left out: a hash of a short password can be guessed. So directors whose passwords differ count as equal. */
export function configParts(services: readonly Service[], isSecret: IsSecretName): ConfigParts {
  let parts = known.get(services)
  if (!parts) {
    const hashes = services.map(service => [service.name, hashOf(textOf(service, isSecret), 8)] as const)
    const byName = hashes.toSorted(([a], [b]) => (a < b ? -1 : 1))
    parts = { hash: hashOf(JSON.stringify(byName), 12), services: Object.fromEntries(byName) }
    known.set(services, parts)
  }
  return parts
}

function hashOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

function textOf(service: Service, isSecret: IsSecretName): string {
  return JSON.stringify(service, (key, value: unknown) => {
    if (isSecret(key)) return null
    if (value instanceof RegExp) return String(value)
    if (value instanceof Map || value instanceof Set) return [...value]
    return isPlain(value) ? sorted(value) : value
  })
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The order of keys in the file does not count. */
function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
