/** Parses options of a check as the configuration does. */
import type { Check } from '../../../src/check/check.js'
import { type OptionShape, optionKit, type Parsed } from '../../../src/check/option-kit.js'
import { asOptionProblem, type OptionProblem } from '../../../src/check/option-problem.js'
import { z } from '../../../src/check/option-types.js'

export function parseOptions<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): Parsed<S> {
  return z.strictObject(check.options(optionKit)).parse(raw) as Parsed<S>
}

/** Returns the sentence about the problem that `validate` finds in these options, or null. */
export function problemOf<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): string | null {
  return problemAt(check, raw)?.message ?? null
}

/** Same as `problemOf`, with the path of the option. */
export function problemAt<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): OptionProblem | null {
  return asOptionProblem(check.validate?.(parseOptions(check, raw)) ?? null)
}

/** Returns what is missing on this machine for a check with these options, or null. */
export function missingOf<S extends OptionShape>(
  check: Check<S>,
  raw: Readonly<Record<string, unknown>>,
): string | null {
  return check.missing?.(parseOptions(check, raw)) ?? null
}
