/**
 * Sorts of mappings that differ in one key: thousands of real servers have addresses of their own, and the same forwarding and weight. What
 * follows from the other keys is found once.
 */
import type { RawEntry } from '../raw.js'

/** Mappings of one form with the same keys and values, but for the key that tells them apart. */
export interface Sort {
  /** The values of these keys. Null until a mapping was read in which nothing was wrong. */
  values: Readonly<Record<string, unknown>> | null
}

/** Limit for each form: where each mapping is of a sort of its own, there is nothing to gain. */
const MOST = 100

/** The sorts in one configuration. */
export class Sorts {
  readonly #byForm = new WeakMap<object, Map<string, Sort>>()

  /** `form`: a `MappingForm`. Returns null if its mappings are not sorted, or this one has a value with a structure. */
  of(entries: readonly RawEntry[], form: { readonly apart?: string }): Sort | null {
    const key = form.apart === undefined ? null : keyOf(entries, form.apart)
    return key === null ? null : this.#sort(key, form)
  }

  /** The same for a short form: `words` stand behind the value that tells the mappings apart. */
  ofWords(words: string, form: { readonly apart?: string }): Sort | null {
    return this.#sort(`words${words}`, form)
  }

  #sort(key: string, form: object): Sort | null {
    let sorts = this.#byForm.get(form)
    if (!sorts) {
      sorts = new Map()
      this.#byForm.set(form, sorts)
    }
    const known = sorts.get(key)
    if (known || sorts.size >= MOST) return known ?? null
    const sort = { values: null }
    sorts.set(key, sort)
    return sort
  }
}

/** The key of a sort. Lengths stand before texts, since these may hold anything. */
function keyOf(entries: readonly RawEntry[], apart: string): string | null {
  let all = ''
  for (const { key, value } of entries) {
    if (key === apart) continue
    if (value.kind !== 'scalar') return null
    const written = value.source ?? String(value.value)
    all += `${key.length} ${key} ${typeof value.value} ${written.length} ${written} `
  }
  return all
}
