/**
 * Layers laid over each other: real server, service, defaults, and under them the schema's own defaults. And what comes of
 * them: plain values under the names that the code has.
 */
import type { z } from '../../check/option-types.js'
import type { RawEntry } from '../raw.js'
import { camelKey } from '../schema/camel-keys.js'
import { formOf } from '../schema/forms.js'
import type { Output } from '../schema/model-keys.js'
import type { Fields, FormedAs, Read, Shape } from './fields.js'

/** Fields that have at least some of the keys. */
export interface Layer {
  readonly values: object
  entry(key: string): RawEntry | undefined
}

export interface Settled<S extends Shape> {
  /** Of each key the value of the first layer that has a right one, else the schema's default. */
  readonly values: { readonly [K in keyof S]: Settle<S[K]> }
  /** As written in the first layer that has the key. */
  entry(key: keyof S & string): RawEntry | undefined
}

type Settle<T extends z.ZodType> = [FormedAs<T>] extends [never] ? z.output<T> : Read<T> | undefined

/** The keys of `shape`, from the nearest layer to the farthest. */
export function settle<S extends Shape>(shape: S, layers: readonly Layer[]): Settled<S> {
  const values: Record<string, unknown> = {}
  for (const [key, type] of Object.entries(shape)) {
    const layer = layers.find(each => valueIn(each, key) !== undefined)
    values[key] = layer ? valueIn(layer, key) : absent(type)?.value
  }
  return {
    values: values as Settled<S>['values'],
    entry: key => layers.map(layer => layer.entry(key)).find(entry => entry !== undefined),
  }
}

function valueIn({ values }: Layer, key: string): unknown {
  return (values as Record<string, unknown>)[key]
}

const defaults = new WeakMap<z.ZodType, { readonly value: unknown } | null>()

/** What the type gives for an absent value; null where it must be given. */
export function absent(type: z.ZodType): { readonly value: unknown } | null {
  let known = defaults.get(type)
  if (known === undefined) {
    const { success, data } = type.safeParse(undefined)
    known = success ? { value: data } : null
    defaults.set(type, known)
  }
  return known
}

// ---------------------------------------------------------------- plain values

/** Every key of `shape` with its value, those of mappings within too. */
export function outputOf<S extends Shape>(shape: S, layers: readonly Layer[]): Output<S> {
  const { values } = settle(shape, layers)
  const output = Object.entries(shape).map(([key, type]) => [
    camelKey(key),
    plainOf(type, valueIn({ values } as Layer, key)),
  ])
  return Object.fromEntries(output) as Output<S>
}

function plainOf(type: z.ZodType, value: unknown): unknown {
  const form = formOf(type)
  const inner = form?.kind === 'short' ? form.mapping : form
  return inner?.kind === 'mapping' && value ? outputOf(inner.shape, [value as Fields<Shape>]) : value
}

/** Entries laid over others: those of `over` count where both have a key. */
export function layEntries(under: readonly RawEntry[], over: readonly RawEntry[]): readonly RawEntry[] {
  const keys = new Set(over.map(({ key }) => key))
  return [...under.filter(({ key }) => !keys.has(key)), ...over]
}
