/** Plain data that processes may exchange: of limited size, and copied, so that it shares nothing with the original. */

/** Maximum nesting. It suffices for every argument of the option kit. */
const DEEPEST = 4
/** Maximum size: the characters of all strings and keys, plus one for each value. */
const LARGEST = 64 * 1024

/** Reports a value that is not plain data. The message is a noun phrase to complete a sentence: `a function`, `a Date`. */
export class NotPlain extends Error {}

/**
 * Returns a copy built of plain objects, arrays, strings, finite numbers, booleans, null and undefined. Throws
 * `NotPlain` for any other value, and if a limit is exceeded.
 */
export function plainCopy(value: unknown): unknown {
  let size = 0
  const spend = (cost: number) => {
    size += cost
    if (size > LARGEST) throw new NotPlain(`more than ${LARGEST / 1024} KB`)
  }
  const copy = (from: unknown, depth: number): unknown => {
    spend(typeof from === 'string' ? from.length + 1 : 1)
    if (isSimple(from)) return from
    if (typeof from !== 'object') throw new NotPlain(nameOf(from))
    if (depth === DEEPEST) throw new NotPlain(`nested more than ${DEEPEST} deep`)
    if (Array.isArray(from)) return Array.from(from, item => copy(item, depth + 1))
    if (!isPlainObject(from)) throw new NotPlain(nameOf(from))
    const entries = Object.entries(from).map(([key, item]) => {
      spend(key.length)
      return [key, copy(item, depth + 1)]
    })
    return Object.fromEntries(entries)
  }
  return copy(value, 0)
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  // An object from another realm, for example from `node:vm`, has the Object prototype of that realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isSimple(value: unknown): boolean {
  if (value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  return ['string', 'boolean', 'undefined'].includes(typeof value)
}

/**
 * Names the type of a value: `a function`, `a Date`, `the number NaN`. The value itself is not included: it may be
 * long, or throw when it is converted to a string.
 */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : `the number ${value}`
  if (typeof value === 'string') return 'a text'
  if (typeof value !== 'object') return `a ${typeof value}`
  const { name } = (Object.getPrototypeOf(value)?.constructor ?? {}) as { name?: unknown }
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object'
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name.slice(0, 40)}`
}
