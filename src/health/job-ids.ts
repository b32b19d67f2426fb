/**
 * Texts that identify checks and jobs. In place of the options they have a hash of them, which is short and made once for all
 * servers of a service. The hash covers passwords, and a short one can be guessed from it: no text is logged or sent. Pure.
 */
import { createHash } from 'node:crypto'
import type { Check, Target } from '../check/check.js'
import type { WantedSource } from '../core/check-source.js'
import {
  type CheckUse,
  keyAsWritten,
  keyOfMember,
  keyOfReal,
  keyOfService,
  type ResolvedCheckUse,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'
import type { Subscriber } from './job-types.js'

interface OptionsText {
  /** As JSON. */
  readonly text: string
  readonly hash: string
}

/** Servers of a service have the same object. */
const texts = new WeakMap<object, OptionsText>()
/** 96 bits: two different options do not meet by chance. */
const HASH_LENGTH = 16

function textOf(options: CheckUse['options']): OptionsText {
  const known = texts.get(options)
  if (known) return known
  const text = JSON.stringify(options)
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, HASH_LENGTH)
  texts.set(options, { text, hash })
  return { text, hash }
}

/** Returns what stands for the options in a `checkKey`: the same for options that are the same as JSON. */
export function hashOfOptions(options: CheckUse['options']): string {
  return textOf(options).hash
}

/**
 * Returns the `checkKey` with all options in place of their hash: an array as JSON. It identifies a check on disk and among the
 * directors of a site, and is the same in all versions of lvsd.
 */
export function wholeQuestion({
  checkKey,
  use,
}: Pick<Subscriber, 'checkKey'> & { readonly use: UsedOptions }): string {
  const { text, hash } = textOf(use.options)
  return checkKey.replace(`"${hash}"`, () => text)
}

type UsedOptions = Pick<CheckUse, 'options'>

/** Returns the `checkKey`. It contains service and real server only if the check sets `perService`. */
export function questionOf(
  service: ResolvedService,
  real: ResolvedReal,
  target: Target,
  use: ResolvedCheckUse,
  check: Check,
): string {
  const parts: (string | number | null)[] = [
    use.kind,
    target.address.text,
    target.port,
    hashOfOptions(use.options),
  ]
  if (use.connects) parts.push(`${use.connects} connects`)
  if (use.address === null) parts.push(use.host)
  if (use.source !== undefined) parts.push(`from ${sourceText(use.source)}`)
  if (use.path) parts.push(`of ${serviceKey(service)} through ${keyOfReal(target.real)}`)
  if (check.perService) parts.push(serviceKey(service), keyOfMember(service, real))
  return JSON.stringify(parts)
}

function sourceText(source: WantedSource): string {
  return source === 'kernel' ? source : source.text
}

/**
 * Returns a suffix of the job id: a changed file in a user's folder gives a new job, but the same `checkKey` and
 * health.
 */
export function versionOf({ origin, module }: Check): string {
  return origin === 'user' ? ` by ${module}` : ''
}

/** Returns the key of the service in the kernel; as written in the configuration while its name has no address. */
export function serviceKey(service: ResolvedService): string {
  return service.id ? keyOfService(service.id) : keyAsWritten(service.virtual)
}
