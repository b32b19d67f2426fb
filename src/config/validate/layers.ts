/** A value from the nearest place that gives one: real server, service, defaults, then the schema's own default. */

import type { OptionShape } from '../../check/option-kit.js'
import type { z } from '../../check/option-types.js'
import type { Fields } from '../read-fields.js'

/** Layers are asked in their order. The schema's default counts where none has a right value. */
export function inherit<S extends OptionShape, K extends keyof S & string>(
  shape: S,
  key: K,
  layers: readonly { readonly values: { readonly [P in K]?: unknown } }[],
): z.output<S[K]> {
  for (const { values } of layers) if (values[key] !== undefined) return values[key] as z.output<S[K]>
  return defaultOf(shape[key] as S[K])
}

const defaults = new WeakMap<z.ZodType, unknown>()

/** What the type gives for an absent value. */
export function defaultOf<T extends z.ZodType>(type: T): z.output<T> {
  if (!defaults.has(type)) defaults.set(type, type.parse(undefined))
  return defaults.get(type) as z.output<T>
}

/** The value of every key that the mapping leaves out, where the schema has one. */
export function withDefaults<S extends OptionShape>(
  shape: S,
  fields: Fields<S>,
): { [K in keyof S]: z.output<S[K]> } {
  const filled = Object.entries(shape).map(([key, type]) => [
    key,
    fields.values[key] ?? optionalDefault(type),
  ])
  return Object.fromEntries(filled) as { [K in keyof S]: z.output<S[K]> }
}

function optionalDefault(type: z.ZodType): unknown {
  const parsed = type.safeParse(undefined)
  return parsed.success ? parsed.data : undefined
}
