/** How many changes of the table add, change and remove something. Pure. */
import type { Change } from './model.js'

export interface ChangeCounts {
  readonly add: number
  readonly change: number
  readonly remove: number
}

export function countChanges(changes: readonly Change[]): ChangeCounts {
  const ofKind = (kind: string) => changes.filter(({ op }) => op.startsWith(kind)).length
  return { add: ofKind('add'), change: ofKind('set'), remove: ofKind('delete') }
}
