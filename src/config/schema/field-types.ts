/** Types of values that several keys of the configuration have. */
import { duration, marks, z } from '../../check/option-types.js'
import { MAX_WEIGHT } from '../../core/model.js'
import { parseDuration } from '../../util/duration.js'

/** Maximum of an unsigned number of 32 bits, as in the kernel's messages. */
export const MAX_U32 = 2 ** 32 - 1
/** Limit of ipvsadm: 31 days. */
export const MAX_SECONDS = 31 * 86_400

/** Name for people of the type of an address. */
export const ADDRESS = 'address and port'

/** A path. A relative path begins in the folder of the file that contains it. */
export const path = () => z.string().min(1).register(marks, { path: 'file', shown: 'path' })
export const optionalPath = () =>
  z.string().register(marks, { path: 'file', shown: 'path' }).nullable().default(null)
/** A command line for the shell, or null. */
export const shellCommand = () => z.string().register(marks, { shell: true }).nullable().default(null)
/** A duration. A large number without a unit gets a warning, because milliseconds may be meant. */
export const interval = () => duration().register(marks, { isInterval: true })

/** An interval, or the word `auto`. */
export function intervalOrAuto() {
  const given = z.union([z.number(), z.string()]).register(marks, { shown: 'auto or duration' })
  const parsed = given.transform((value, context) => {
    const ms = value === 'auto' ? value : parseDuration(value)
    if (ms !== null) return ms
    context.addIssue({
      code: 'custom',
      message: 'expected auto, or a duration such as 500ms, 3s, 2m or a number of seconds',
    })
    return z.NEVER
  })
  return parsed.register(marks, { isInterval: true })
}

/** An interval, or the word `none`: null. */
export function intervalOrNone() {
  const given = z.union([z.number(), z.string()]).register(marks, { shown: 'duration or none' })
  const parsed = given.transform((value, context) => {
    if (value === 'none') return null
    const ms = parseDuration(value)
    if (ms !== null) return ms
    context.addIssue({
      code: 'custom',
      message: 'expected none, or a duration such as 500ms, 3s, 2m or a number of seconds',
    })
    return z.NEVER
  })
  return parsed.register(marks, { isInterval: true })
}

export const flag = (about: string) => z.boolean().default(false).describe(about)
export const weight = () => z.int().min(0).max(MAX_WEIGHT)
export const threshold = () => z.int().min(0).max(MAX_U32)

/** A duration in whole seconds, the unit of the kernel. The parsed value is in seconds. */
export function seconds() {
  return duration().transform((ms, context) => {
    if (ms % 1000 === 0 && ms <= MAX_SECONDS * 1000) return ms / 1000
    context.addIssue({ code: 'custom', message: 'expected whole seconds, 1s to 744h (31 days)' })
    return z.NEVER
  })
}

/** A share: `50%` or a number from 0 to 100. The parsed value is the number. */
export function percent() {
  const given = z.union([z.number(), z.string()]).register(marks, { shown: 'share' })
  return given.transform((value, context) => {
    const match = /^(\d{1,3}(?:\.\d+)?)\s*%?$/.exec(String(value).trim())
    if (match && Number(match[1]) <= 100) return Number(match[1])
    context.addIssue({ code: 'custom', message: 'expected a share from 0% to 100%' })
    return z.NEVER
  })
}
