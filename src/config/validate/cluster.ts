/** Reads `cluster`: what a director does that is one of several. */
import type { Fields } from '../read/fields.js'
import { outputOf } from '../read/layers.js'
import { clusterFields, roleFields, standbyFields } from '../schema/cluster-fields.js'
import type { ClusterSettings } from '../schema/model-keys.js'
import type { Context } from './context.js'

export function readCluster(fields: Fields<typeof clusterFields>, context: Context): ClusterSettings {
  const { role, standby } = fields.values
  if (role) judgeRole(role, context)
  return {
    ...outputOf(clusterFields, [fields]),
    role: outputOf(roleFields, role ? [role] : []),
    standby: outputOf(standbyFields, standby ? [standby] : []),
  }
}

function judgeRole(role: Fields<typeof roleFields>, { report }: Context): void {
  const { from } = role.values
  if (from === 'file' && !role.entry('path') && !role.isMisspelt('path'))
    report.error('MISSING_KEY', role.keyAt('from'), 'a role from a file needs its path: path: /run/lvsd/role')
  if (from !== 'file' && role.entry('path'))
    report.error('BAD_CLUSTER', role.keyAt('path'), 'path has no meaning without from: file')
}
