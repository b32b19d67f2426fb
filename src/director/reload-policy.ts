/** What a configuration must be to take the place of the running one. Pure. */

import { formatOf, type Loaded } from '../config/load.js'
import type { Problem } from '../config/problems/problem.js'
import { hasErrors } from '../config/problems/problem.js'
import { removedText } from '../core/config-changes.js'
import { type Config, keyAsWritten, keyOfMember } from '../core/model.js'
import { counted } from '../util/plural.js'

/** The configuration in force as it was read, without addresses of names, and what stood in its file. */
export interface CurrentConfig {
  readonly config: Config
  readonly text: string
}

/** Why this configuration must not take over, as a sentence, or null. `isForced`: also when it removes very much. */
export function refusalReason(next: Loaded, running: CurrentConfig, isForced: boolean): string | null {
  if (!next.config || hasErrors(next.problems)) {
    const errors = next.problems.filter(problem => problem.severity === 'error').length
    return `${counted(errors, 'error')} in the file; the running configuration stays`
  }
  const { removed, before } = countRemovals(running.config, next.config)
  const limit = running.config.settings.removalLimit
  if (isForced || before === 0 || (removed / before) * 100 <= limit) return null
  const names = removedText(running.config, next.config)
  const removal = `it would remove ${removed} of ${counted(before, 'real server')} (${names})`
  if (formatOf(next.config.file, next.text) === 'ldirectord')
    return next.config.services.length === 0 || isTruncated(next.text, running.text)
      ? `the file is empty or cut off, and ${removal}; the running configuration stays. If it is meant: lvsd reload --force`
      : null
  return [
    `${removal}, more than removal-limit (${limit}%) allows;`,
    'the running configuration stays. If it is meant: lvsd reload --force',
  ].join(' ')
}

/**
 * Whether a configuration may be a part of one that is still being written: it has lost real servers, or lines. Whoever
 * writes a file in two steps leaves it like that in between, cut off at the end of a line.
 */
export function mayBePart(next: Loaded, running: Loaded): boolean {
  if (!next.config || !running.config || hasErrors(next.problems)) return false
  return countRemovals(running.config, next.config).removed > 0 || linesOf(next) < linesOf(running)
}

function linesOf({ text, included = [] }: Loaded): number {
  return [text, ...included.map(file => file.text)].reduce((sum, part) => sum + part.split('\n').length, 0)
}

/** Problems with what stands elsewhere: it may come to be right while the configuration stays as it is. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'SECRET_MISSING',
  'OPTION_FILE',
  'CHECK_FOLDER',
  'FILE_UNREADABLE',
  'BAD_INCLUDE',
  'TOO_COSTLY',
])

/** Whether a configuration that was refused may be accepted later without a change of its own. */
export function mayBeAccepted(problems: readonly Problem[]): boolean {
  return problems.some(({ severity, code }) => severity === 'error' && ELSEWHERE.has(code))
}

/**
 * Whether a file ends where nobody ends one: within a line, or, being else the same as before, within a section. An
 * ldirectord.cf has no removal-limit, and ldirectord does what it says; but not what half of it says.
 */
export function isTruncated(text: string, before: string): boolean {
  if (before.endsWith('\n') && !text.endsWith('\n')) return true
  return before.startsWith(text) && /^[ \t]+[^\s#]/.test(before.slice(text.length))
}

/** Real servers of the running configuration, and how many of them the next one no longer has. */
export function countRemovals(running: Config, next: Config): { removed: number; before: number } {
  const kept = new Set(memberKeys(next))
  const keys = memberKeys(running)
  return { removed: keys.filter(key => !kept.has(key)).length, before: keys.length }
}

/** By what the kernel will know of a service, so that a service with a new name is the same one. */
function memberKeys(config: Config): string[] {
  return config.services.flatMap(service => {
    const name = keyAsWritten(service.virtual)
    return service.reals.map(real => keyOfMember({ name }, real))
  })
}
