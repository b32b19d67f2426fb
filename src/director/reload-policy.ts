/** Decides whether a configuration may replace the active one. Pure. */

import { formatOf } from '../config/format.js'
import type { Loaded } from '../config/load.js'
import type { Problem } from '../config/problems/problem.js'
import { errorsIn, hasErrors, inOneLine } from '../config/problems/problem.js'
import { removedText } from '../core/config-changes.js'
import { type Config, keyAsWritten, type Real } from '../core/model.js'
import { unsharedIn } from '../core/shared-config.js'
import { counted } from '../util/plural.js'

/** The active configuration as read, names not resolved, and what it was read from. */
export interface CurrentConfig extends Pick<Loaded, 'text' | 'included'>, Partial<Pick<Loaded, 'problems'>> {
  readonly config: Config
}

/** Returns a sentence if the configuration must be refused, else null. `isForced` disables the limits on removals. */
export function refusalReason(next: Loaded, running: CurrentConfig, isForced: boolean): string | null {
  if (!next.config || hasErrors(next.problems))
    return `${errorsText(next.problems, running.config.file)}; the running configuration stays`
  const { removed, before } = countRemovals(running.config, next.config)
  const limit = running.config.settings.removalLimit
  if (isForced || removed === 0) return null
  const emptied = emptiedIn(next, running)
  if (emptied.length === 0 && (removed / before) * 100 <= limit) return null
  const names = removedText(running.config, next.config)
  const removal = `it would remove ${removed} of ${counted(before, 'real server')} (${names})`
  if (emptied.length > 0)
    return [
      `${emptiedText(emptied)}, and ${removal}; the running configuration stays.`,
      `If it is meant: delete ${emptied.length === 1 ? 'the file' : 'these files'} before lvsd reload, or lvsd reload --force`,
    ].join(' ')
  if (formatOf(next.config.file, next.text) === 'ldirectord')
    return next.config.services.length === 0 || isTruncated(next.text, running.text)
      ? `the file is empty or cut off, and ${removal}; the running configuration stays. If it is meant: lvsd reload --force`
      : null
  return [
    `${removal}, more than removal-limit (${limit}%) allows;`,
    'the running configuration stays. If it is meant: lvsd reload --force',
  ].join(' ')
}

/** Returns the included files that had something in them, and now have nothing but blanks and comments. */
function emptiedIn({ problems }: Loaded, { included = [], problems: before = [] }: CurrentConfig): string[] {
  const filesIn = (all: readonly Problem[]) =>
    all.filter(({ code }) => code === 'EMPTY_INCLUDE').map(({ file }) => file)
  const had = new Set(included.map(({ path }) => path))
  for (const file of filesIn(before)) had.delete(file)
  return filesIn(problems).filter(file => had.has(file))
}

/** Returns `mail.yaml is empty, comments aside`. */
function emptiedText([first = '', ...others]: readonly string[]): string {
  const who = others.length === 0 ? `${first} is` : `${first} and ${counted(others.length, 'more file')} are`
  return `${who} empty, comments aside`
}

/** Says what is missing, if a file is: the other errors may follow from that. Else how many errors there are, and where. */
export function errorsText(problems: readonly Problem[], main: string): string {
  const errors = errorsIn(problems)
  const missing = errors.find(({ code }) => code === 'FILE_UNREADABLE' || code === 'BAD_INCLUDE')
  if (missing) {
    const more = errors.length - 1
    return `${inOneLine(missing)}${more === 0 ? '' : ` (and ${counted(more, 'more error')})`}`
  }
  const [file = main, ...others] = new Set(errors.map(one => one.file))
  const where = others.length > 0 ? `${others.length + 1} files` : file === main ? 'the file' : file
  return `${counted(errors.length, 'error')} in ${where}`
}

/**
 * True if the configuration may be incomplete because its file is still being written: it has fewer real servers or
 * lines than the active one. A file that is written in two steps may end at the end of a line in between.
 */
export function mayBePart(next: Loaded, running: Loaded): boolean {
  if (!next.config || !running.config || hasErrors(next.problems)) return false
  return countRemovals(running.config, next.config).removed > 0 || linesOf(next) < linesOf(running)
}

function linesOf({ text, included = [] }: Loaded): number {
  return [text, ...included.map(file => file.text)].reduce((sum, part) => sum + part.split('\n').length, 0)
}

/** Codes of problems with a cause outside the configuration. They may disappear without a change of its files. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'SECRET_MISSING',
  'OPTION_FILE',
  'CHECK_FOLDER',
  'FILE_UNREADABLE',
  'BAD_INCLUDE',
  'TOO_COSTLY',
])

/** True if a refused configuration may be accepted later without a change of its files. */
export function mayBeAccepted(problems: readonly Problem[]): boolean {
  return problems.some(({ severity, code }) => severity === 'error' && ELSEWHERE.has(code))
}

/**
 * True if an ldirectord.cf seems to be cut off: it ends within a line or, if it is a prefix of the previous text, within
 * a section. An ldirectord.cf has no removal-limit, because ldirectord applies every file; but lvsd must not apply an
 * incomplete one.
 */
export function isTruncated(text: string, before: string): boolean {
  if (before.endsWith('\n') && !text.endsWith('\n')) return true
  return before.startsWith(text) && /^[ \t]+[^\s#]/.test(before.slice(text.length))
}

/** Returns the number of real servers in the active configuration (`before`), and how many of them `next` lacks. */
export function countRemovals(running: Config, next: Config): { removed: number; before: number } {
  // By the virtual address: a renamed service counts as the same.
  const kept = new Map(unsharedIn(next, running).map(service => [keyAsWritten(service.virtual), service]))
  const removed = unsharedIn(running, next).reduce((sum, service) => {
    const reals = new Set(kept.get(keyAsWritten(service.virtual))?.reals.map(placeOf))
    return sum + service.reals.filter(real => !reals.has(placeOf(real))).length
  }, 0)
  const before = running.services.reduce((sum, { reals }) => sum + reals.length, 0)
  return { removed, before }
}

function placeOf({ host, port }: Real): string {
  return `${host} ${port}`
}
