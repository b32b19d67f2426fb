/**
 * Takes the marked services of an lvsd that has ended, whose journal is lost: as lvsd's own they go in the same round. And
 * leaves those to another running lvsd that it has signed.
 */
import { type Fwmark, keyOfService, type Table } from '../core/model.js'
import { leftServices, takenByOthers } from '../core/path-owner.js'
import type { MarkRange } from '../core/service-path.js'
import type { PathOwner } from '../reconcile/path-owner.js'
import type { Desired } from '../reconcile/reconciler-types.js'
import type { Journal } from '../storage/journal.js'

interface Parts {
  readonly owner: Pick<PathOwner, 'running'> | null
  readonly journal: Pick<Journal, 'owned' | 'marks' | 'record'>
  range(): MarkRange
}

/** Returns their marks. */
export function takeLeftServices(
  { owner, journal, range }: Parts,
  desired: Pick<Desired, 'ids'>,
  actual: Table,
): readonly number[] {
  const running = owner?.running()
  if (!running) return []
  const { certain } = leftServices(actual, { range: range(), known: journal.owned, running })
  if (certain.length === 0) return []
  // One that the configuration has is not left.
  const wanted = new Set(desired.ids.map(keyOfService))
  const left = certain.filter(id => !wanted.has(keyOfService(id)))
  return recorded(journal, { add: left })
}

/**
 * Returns the marks of services that are in the journal and that another running lvsd has: two that start at once choose the
 * same marks, and so does one whose marks were free while it did not run. Each would undo what the other writes.
 */
export function leaveToOthers(
  { owner, journal }: Omit<Parts, 'range'>,
  own: number | undefined,
  actual: Table,
): readonly number[] {
  const { owned: known, marks } = journal
  if (marks.size === 0) return []
  // Rarely any is signed by another: then the kernel need not be asked who runs.
  const running = isAnyOfOthers(actual, known, own) ? owner?.running() : null
  if (!running) return []
  return recorded(journal, { remove: takenByOthers(actual, { known, running, own }) })
}

function isAnyOfOthers(table: Table, known: Journal['owned'], own: number | undefined): boolean {
  // Without copies: it is asked in each round, also of thousands of services.
  for (const [key, { owner }] of table)
    if (owner !== undefined && owner !== own && known.has(key)) return true
  return false
}

/** Returns the marks. */
function recorded(
  journal: Pick<Journal, 'record'>,
  change: { readonly add: readonly Fwmark[] } | { readonly remove: readonly Fwmark[] },
): readonly number[] {
  try {
    journal.record(change)
  } catch {
    // It is kept in memory, and the next write of the journal reports the error.
  }
  return ('add' in change ? change.add : change.remove).map(({ fwmark }) => fwmark)
}
