/** Writes a large value as JSON in time slices. */
import { isPlainObject } from './plain-data.js'
import { eachInSteps, type Sliced } from './time-slice.js'

/** Levels of objects and lists whose members are written one by one: a document, its services, their real servers. */
const LEVELS = 4

/** Same as `JSON.stringify` of plain data. `levels`: what is below them is written in one step. */
export function* writingJson(value: unknown, levels = LEVELS): Sliced<string> {
  if (levels > 0 && Array.isArray(value)) return yield* writingList(value, levels - 1)
  if (levels > 0 && isPlainObject(value)) return yield* writingObject(value, levels - 1)
  // Of a list: what JSON does not have is null there.
  return JSON.stringify(value) ?? 'null'
}

function* writingList(list: readonly unknown[], levels: number): Sliced<string> {
  const all: string[] = []
  if (levels === 0)
    yield* eachInSteps(list, one => {
      all.push(JSON.stringify(one) ?? 'null')
    })
  else
    for (const one of list) {
      all.push(yield* writingJson(one, levels))
      yield
    }
  return `[${all.join()}]`
}

function* writingObject(object: Readonly<Record<string, unknown>>, levels: number): Sliced<string> {
  const all: string[] = []
  for (const [key, one] of Object.entries(object))
    if (one !== undefined) all.push(`${JSON.stringify(key)}:${yield* writingJson(one, levels)}`)
  return `{${all.join()}}`
}
