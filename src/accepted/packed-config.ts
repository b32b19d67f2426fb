/**
 * A configuration as JSON in which equal parts of real servers stand once. Thousands of servers differ in little, so the text is a
 * sixth as long, and what is made of it shares these parts.
 */
import type { Config, Real, Service } from '../core/model.js'
import { deepFreeze } from '../util/deep-freeze.js'
import { survivesJson } from '../util/survives-json.js'
import { eachInSteps, type Sliced } from '../util/time-slice.js'

/** What real servers have in common: their numbers in `parts` are in its place. */
type Shared = 'attributes' | 'checks'
type PackedReal = Omit<Real, Shared> & { readonly [K in Shared]: number }
type PackedService = Omit<Service, 'reals'> & { readonly reals: readonly PackedReal[] }

/** What `packedJson` writes. */
export interface PackedConfig {
  readonly parts: readonly Real[Shared][]
  readonly services: readonly PackedService[]
  readonly own: Omit<Config, 'services'>
}

/** Services that JSON preserves. A reload keeps the objects of services that have not changed. */
const preserved = new WeakSet<object>()

/** Returns a configuration as the JSON of a `PackedConfig`, or null if JSON does not preserve it. In time slices. */
export function* packedJson({ services, ...own }: Config): Sliced<string | null> {
  const parts = new Parts()
  const all: string[] = []
  for (const service of services) {
    const json = yield* serviceJson(service, parts, preserved.has(service) ? JSON.stringify : preservedJson)
    if (json === null) return null
    preserved.add(service)
    all.push(json)
    yield
  }
  const head = preservedJson(own)
  return head && `{"parts":[${parts.texts.join()}],"services":[${all.join()}],"own":${head}}`
}

type JsonOf = (value: object) => string | null

function* serviceJson({ reals, ...own }: Service, parts: Parts, jsonOf: JsonOf): Sliced<string | null> {
  const head = jsonOf(own)
  const all: (string | null)[] = []
  yield* eachInSteps(reals, real => {
    const [attributes, checks] = [
      parts.numberOf(real.attributes, jsonOf),
      parts.numberOf(real.checks, jsonOf),
    ]
    all.push(attributes === null || checks === null ? null : jsonOf({ ...real, attributes, checks }))
  })
  return head === null || all.includes(null) ? null : `${head.slice(0, -1)},"reals":[${all.join()}]}`
}

function preservedJson(value: object): string | null {
  return survivesJson(value) ? JSON.stringify(value) : null
}

/** The JSON of the parts, each once, with their numbers. */
class Parts {
  readonly texts: string[] = []
  readonly #byObject = new Map<object, number | null>()
  readonly #byText = new Map<string, number>()

  /** Null if JSON does not preserve the part. */
  numberOf(part: object, jsonOf: JsonOf): number | null {
    const known = this.#byObject.get(part)
    if (known !== undefined) return known
    const text = jsonOf(part)
    const number = text === null ? null : this.#numberOfText(text)
    this.#byObject.set(part, number)
    return number
  }

  #numberOfText(text: string): number {
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    this.#byText.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

/** Returns the configuration, frozen. */
export function unpacked({ parts, services, own }: PackedConfig): Config {
  deepFreeze(parts)
  const unpackedReal = (real: PackedReal): Real => {
    const [attributes, checks] = [parts[real.attributes], parts[real.checks]]
    return deepFreeze({ ...real, attributes, checks } as Real)
  }
  const all = services.map(service => deepFreeze({ ...service, reals: service.reals.map(unpackedReal) }))
  return deepFreeze({ ...own, services: all } as Config)
}
