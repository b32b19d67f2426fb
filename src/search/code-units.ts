/** Sets of UTF-16 code units, and equivalence classes: the units of a class are in the same sets of an expression. */

/** Ranges in ascending order, disjoint; both ends are inclusive. */
export type Ranges = readonly (readonly [first: number, last: number])[]

const LAST = 0xffff

/** Maximum number of cached sets. A configuration uses the same few sets many times. */
const MOST_KNOWN = 1000
const known = new Map<string, Ranges>()
let allUnits: string | undefined

/** Returns the units that match an expression for one unit. V8 evaluates the expression, so the meaning cannot differ. */
export function unitsOf(source: string, flags: string): Ranges {
  const key = `${flags}/${source}`
  const found = known.get(key)
  if (found) return found
  allUnits ??= Array.from({ length: LAST + 1 }, (_, unit) => String.fromCharCode(unit)).join('')
  const runs = [...allUnits.matchAll(new RegExp(`(?:${source})+`, `g${flags}`))]
  const ranges = runs.map(run => [run.index, run.index + run[0].length - 1] as const)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, ranges)
  return ranges
}

/** Returns the set of one unit, and with the flag `i` also its other cases. */
export function casesOf(unit: number, flags: string): Ranges {
  if (!flags.includes('i')) return [[unit, unit]]
  return unitsOf(`\\u${unit.toString(16).padStart(4, '0')}`, flags)
}

/** The equivalence classes of code units. */
export interface Alphabet {
  readonly size: number
  /** The class of each unit below 2048, that is, of all characters with at most two bytes in UTF-8. */
  readonly low: Uint8Array
  /** Returns the class of any unit. */
  classOf(unit: number): number
  /** Whether the units of a class are in a set: 1 or 0, at index `set * size + class`. */
  readonly members: Uint8Array
}

/** Limits: an expression with more classes or range edges has no alphabet. */
const MOST_CLASSES = 255
const MOST_EDGES = 4096

/** Returns the alphabet of these sets, or null if it exceeds a limit. */
export function alphabetOf(sets: readonly Ranges[]): Alphabet | null {
  const toggles = new Map<number, number[]>([[0, []]])
  for (const [set, ranges] of sets.entries())
    for (const edge of ranges.flatMap(([first, last]) => [first, last + 1]))
      if (edge <= LAST) toggles.set(edge, [...(toggles.get(edge) ?? []), set])
  if (toggles.size > MOST_EDGES) return null
  const starts = Uint16Array.from([...toggles.keys()].sort((a, b) => a - b))
  const members = sets.map(() => false)
  const classes = new Map<string, readonly boolean[]>()
  const order: string[] = []
  for (const start of starts) {
    for (const set of toggles.get(start) ?? []) members[set] = !members[set]
    const signature = members.map(Number).join('')
    if (!classes.has(signature)) classes.set(signature, [...members])
    if (classes.size > MOST_CLASSES) return null
    order.push(signature)
  }
  return new Classes(starts, order, classes)
}

class Classes implements Alphabet {
  readonly size: number
  readonly low: Uint8Array
  readonly members: Uint8Array
  readonly #starts: Uint16Array
  readonly #classes: Uint8Array

  constructor(
    starts: Uint16Array,
    order: readonly string[],
    classes: ReadonlyMap<string, readonly boolean[]>,
  ) {
    const numbers = new Map([...classes.keys()].map((signature, i) => [signature, i]))
    this.size = classes.size
    this.#starts = starts
    this.#classes = Uint8Array.from(order, signature => numbers.get(signature) ?? 0)
    const all = [...classes.values()]
    const sets = all[0]?.length ?? 0
    this.members = Uint8Array.from({ length: sets * this.size }, (_, i) =>
      Number(all[i % this.size]?.[Math.floor(i / this.size)]),
    )
    this.low = new Uint8Array(2048)
    for (const [i, unitClass] of this.#classes.entries()) this.low.fill(unitClass, starts[i])
  }

  classOf(unit: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as number) <= unit) low = middle
      else high = middle - 1
    }
    return this.#classes[low] as number
  }
}
