/** Checks that this machine has what the settings name. */
import { groupId, groupIds } from '../../system/groups.js'
import { didYouMean } from '../../util/closest-match.js'
import type { Fields } from '../read/fields.js'
import type { settingsFields } from '../schema/schema.js'
import type { Context } from './context.js'

/** Warns about a group that this machine does not have. The configuration may be for another one. */
export function judgeSettings(
  settings: Fields<typeof settingsFields>,
  { report, looksAtMachine }: Context,
): void {
  const group = settings.values['socket-group']
  if (group == null) return
  looksAtMachine?.()
  const known = groupIds()
  if (groupId(group, known) !== null) return
  const advice = didYouMean(group, known.keys()) || '; a group of a directory service needs its number'
  report.warn(
    'UNKNOWN_GROUP',
    settings.valueAt('socket-group'),
    `this machine has no group "${group}" (/etc/group), so only the owner can use the control socket${advice}`,
  )
}
