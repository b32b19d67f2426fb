/** What `lvsd health` prints, and whether this director is good. Pure. */
import type { HealthDocument } from '../../api/role-types.js'
import { printable } from '../../util/printable.js'

export interface HealthOptions {
  readonly role: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** `text` is null if nothing is printed. */
export function healthLine(
  document: HealthDocument,
  { role, json, quiet }: HealthOptions,
): { readonly isGood: boolean; readonly text: string | null } {
  const isStandby = role && document.role !== 'active'
  const isGood = document.good && !isStandby
  if (json) return { isGood, text: JSON.stringify(document, null, 2) }
  if (quiet) return { isGood, text: null }
  if (document.good && isStandby) return { isGood, text: 'standby: this director is not the active one' }
  return { isGood, text: `${isGood ? 'good' : 'bad'}: ${printable(document.reason)}` }
}
