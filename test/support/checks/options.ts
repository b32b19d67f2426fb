/** A check's options as the configuration parses them. */
import type { Check } from '../../../src/check/check.js'
import { type OptionShape, optionKit, type Parsed } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'

export function parseOptions<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): Parsed<S> {
  return z.strictObject(check.options(optionKit)).parse(raw) as Parsed<S>
}

/** What `validate` says to these options, or null. */
export function problemOf<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): string | null {
  return check.validate?.(parseOptions(check, raw)) ?? null
}

/** What this machine lacks for a check with these options, or null. */
export function missingOf<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): string | null {
  return check.missing?.(parseOptions(check, raw)) ?? null
}
