/** Merges `check` and `checks` of defaults, service and real server, before the kinds of the checks are looked up. */
import type { Position } from '../problems/problem.js'
import { type RawEntry, type RawNode, type RawScalar, writtenOf } from '../raw.js'
import type { Fields, Unread } from '../read/fields.js'
import { layEntries } from '../read/layers.js'
import { readEntry } from '../read/read-node.js'
import { checkFields, type checksFields, sharedFields } from '../schema/check-fields.js'
import type { Context } from './context.js'

/** A check before its kind is looked up: the merged entries, each with its position. */
export interface Draft {
  readonly at: Position
  readonly kind: { readonly name: string; readonly at: Position } | null
  /** All entries except the kind. */
  readonly entries: readonly RawEntry[]
  /** Set if the check is invalid, which has been reported. */
  readonly isBroken?: true
  /** The draft of the level below that is merged into this one. */
  readonly under?: Draft
  /** Set if required keys may be missing, because another level supplies them. */
  readonly isPartial?: true
}

type Level = Fields<typeof checksFields>

/** The drafts of `defaults` are used by many services. */
const known = new WeakMap<Level, readonly Draft[] | null>()

/** Returns the drafts of one level. Returns null if the level has neither `check` nor `checks`. */
export function draftsOf(level: Level, context: Context): readonly Draft[] | null {
  let drafts = known.get(level)
  if (drafts === undefined) {
    drafts = newDrafts(level, context)
    known.set(level, drafts)
  }
  return drafts
}

function newDrafts(level: Level, context: Context): readonly Draft[] | null {
  const { check, checks } = level.values
  const [isThere, isBeside] = [level.entry('check') !== undefined, level.entry('checks') !== undefined]
  if (isThere && isBeside)
    context.report.error(
      'CHECK_TWICE',
      level.keyAt('checks'),
      'give either check or checks; checks takes a list of several',
    )
  if (!isThere && !isBeside) return null
  const key = isThere ? 'check' : 'checks'
  const items = (isThere ? check : checks) ?? [null]
  return items.map(item => (item ? draftOf(item, context) : { ...NOTHING, at: level.keyAt(key) }))
}

const NOTHING = { kind: null, entries: [], isBroken: true } as const

function draftOf({ at, entries }: Unread, context: Context): Draft {
  const kind = entries.find(({ key }) => key === 'kind')
  if (!kind) return { at, kind: null, entries }
  // A number or true is reported as an unknown kind: quotes would not help.
  const name = isWord(kind.value) ? writtenOf(kind.value) : readEntry(kind, checkFields.kind, context)
  if (name === undefined) return { ...NOTHING, at }
  return { at, kind: { name, at: kind.value.at }, entries: entries.filter(entry => entry !== kind) }
}

function isWord(node: RawNode): node is RawScalar {
  return node.kind === 'scalar' && node.value !== null
}

/**
 * Merges the drafts of two levels. A draft of `over` takes all entries of the draft in `base` that has the same kind,
 * or else of one without a kind. If there is none, it takes only the policy that all drafts of `base` have in common. A
 * draft without a kind modifies every draft of `base`.
 */
export function layDrafts(
  base: readonly Draft[] | null,
  over: readonly Draft[] | null,
  context: Context,
): readonly Draft[] | null {
  if (!over || !base || base.length === 0) return over ?? base
  return over.flatMap(draft => {
    if (draft.isBroken) return draft
    if (!draft.kind) return base.map(under => layDraft(under, draft))
    const name = nameOf(draft, context)
    const under = base.find(one => nameOf(one, context) === name) ?? base.find(one => !one.kind)
    return under
      ? layDraft(under, draft)
      : { ...draft, entries: layEntries(commonPolicy(base), draft.entries) }
  })
}

function layDraft(under: Draft, over: Draft): Draft {
  if (under.isBroken && !over.kind) return under
  const entries = layEntries(under.entries, over.entries)
  return { at: over.at, kind: over.kind ?? under.kind, entries, under }
}

/** Returns the name of the draft's kind, also for an alias. */
function nameOf(draft: Draft, { checks }: Context): string | null {
  return draft.kind && (checks.get(draft.kind.name)?.name ?? draft.kind.name)
}

/** Returns the entries of the policy (`interval` and so on), and the source, that all drafts share. */
function commonPolicy([first, ...others]: readonly Draft[]): readonly RawEntry[] {
  const policy = first?.entries.filter(({ key }) => Object.hasOwn(sharedFields, key)) ?? []
  return policy.filter(entry => others.every(({ entries }) => entries.includes(entry)))
}
