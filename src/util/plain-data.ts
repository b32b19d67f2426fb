/** What may cross between processes: plain data of bounded size, copied so that nothing of the original is left in it. */

/** Deep enough for every argument of the option kit. */
const DEEPEST = 4
/** Characters of all texts and keys, plus one for each value. */
const LARGEST = 64 * 1024

/** Says what is not plain data, for the end of a sentence: `a function`, `a Date`. */
export class NotPlain extends Error {}

/** A copy made of plain objects, arrays, texts, finite numbers, booleans, null and undefined; else throws `NotPlain`. */
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
  // An object of another realm, as `node:vm` makes them, has the prototype of that realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isSimple(value: unknown): boolean {
  if (value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  return ['string', 'boolean', 'undefined'].includes(typeof value)
}

/** `a function`, `a Date`, `the number NaN`: never the value itself, which may be long or refuse to be shown. */
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
