/** Takes the marked services of an lvsd that has ended, whose journal is lost. As lvsd's own they go in the same round. */
import { keyOfService, type Table } from '../core/model.js'
import { leftServices } from '../core/path-owner.js'
import type { MarkRange } from '../core/service-path.js'
import type { PathOwner } from '../reconcile/path-owner.js'
import type { Desired } from '../reconcile/reconciler.js'
import type { Journal } from '../storage/journal.js'

interface Parts {
  readonly owner: Pick<PathOwner, 'running'> | null
  readonly journal: Pick<Journal, 'owned' | 'record'>
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
  try {
    journal.record({ add: left })
  } catch {
    // It is kept in memory, and the next write of the journal reports the error.
  }
  return left.map(({ fwmark }) => fwmark)
}
