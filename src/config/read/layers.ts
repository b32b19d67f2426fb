/**
 * Merges layers: real server, service, `defaults`, and finally the schema's defaults. Also converts the result to plain
 * values under the names that the code uses.
 */
import type { z } from '../../check/option-types.js'
import type { RawEntry } from '../raw.js'
import { camelKey } from '../schema/camel-keys.js'
import { formOf } from '../schema/forms.js'
import type { Output } from '../schema/model-keys.js'
import type { Fields, FormedAs, Read, Shape } from './fields.js'

/** `Fields` that may have only some of the keys. */
export interface Layer {
  readonly values: object
  entry(key: string): RawEntry | undefined
}

export interface Settled<S extends Shape> {
  /** For each key, the value of the first layer that has a valid one, or else the schema's default. */
  readonly values: { readonly [K in keyof S]: Settle<S[K]> }
  /** Returns the entry as written in the first layer that has the key. */
  entry(key: keyof S & string): RawEntry | undefined
}

type Settle<T extends z.ZodType> = [FormedAs<T>] extends [never] ? z.output<T> : Read<T> | undefined

/** Merges the layers for the keys of `shape`. The first layer has the highest priority. */
export function mergeLayers<S extends Shape>(shape: S, layers: readonly Layer[]): Settled<S> {
  const values: Record<string, unknown> = {}
  for (const key of Object.keys(shape)) values[key] = settledIn(shape, key, layers)
  return {
    values: values as Settled<S>['values'],
    entry: key => layers.map(layer => layer.entry(key)).find(entry => entry !== undefined),
  }
}

/** Every key of every server is asked for: a loop, not calls of a function for each layer. */
function settledIn(shape: Shape, key: string, layers: readonly Layer[]): unknown {
  for (const layer of layers) {
    const value = valueIn(layer, key)
    if (value !== undefined) return value
  }
  const type = shape[key]
  return type && absent(type)?.value
}

function valueIn({ values }: Layer, key: string): unknown {
  return (values as Record<string, unknown>)[key]
}

const defaults = new WeakMap<z.ZodType, { readonly value: unknown } | null>()

/** Returns the type's default for an absent value, or null if the value is required. */
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

/**
 * Returns the keys of `shape` with their values, including those of nested mappings. A key without a value is left out: JSON, which
 * stores an accepted configuration, would not preserve it.
 */
export function outputOf<S extends Shape>(shape: S, layers: readonly Layer[]): Output<S> {
  const output: Record<string, unknown> = {}
  for (const key of Object.keys(shape)) {
    const type = shape[key]
    const value = type && plainOf(type, settledIn(shape, key, layers))
    if (value !== undefined) output[camelKey(key)] = value
  }
  return output as Output<S>
}

function plainOf(type: z.ZodType, value: unknown): unknown {
  const form = formOf(type)
  const inner = form?.kind === 'short' ? form.mapping : form
  return inner?.kind === 'mapping' && value ? outputOf(inner.shape, [value as Fields<Shape>]) : value
}

/** Merges entries. If both lists have a key, the entry of `over` is used. */
export function layEntries(under: readonly RawEntry[], over: readonly RawEntry[]): readonly RawEntry[] {
  const keys = new Set(over.map(({ key }) => key))
  return [...under.filter(({ key }) => !keys.has(key)), ...over]
}
