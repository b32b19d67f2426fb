/** Reads `cluster`: what a director does that is one of several. */
import type { Position } from '../problems/problem.js'
import type { Fields } from '../read/fields.js'
import { outputOf } from '../read/layers.js'
import { clusterFields, roleFields, standbyFields } from '../schema/cluster-fields.js'
import type { ClusterSettings } from '../schema/model-keys.js'
import type { redisFields } from '../schema/redis-fields.js'
import type { Context } from './context.js'

export function readCluster(fields: Fields<typeof clusterFields>, context: Context): ClusterSettings {
  const { role, standby, redis } = fields.values
  if (role) judgeRole(role, context)
  if (redis) judgeRedis(redis, fields.keyAt('redis'), context)
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

const PLACES = ['url', 'sentinels', 'cluster'] as const

function judgeRedis(redis: Fields<typeof redisFields>, at: Position, { report }: Context): void {
  const [place, second] = PLACES.filter(key => redis.entry(key))
  if (second)
    report.error(
      'BAD_CLUSTER',
      redis.keyAt(second),
      `redis has one of ${PLACES.join(', ')}: "${place}" is set already`,
    )
  if (!place && !PLACES.some(key => redis.isMisspelt(key)))
    report.error(
      'MISSING_KEY',
      at,
      "redis needs its place: url: 'redis://[2001:db8::1]:6379', sentinels or cluster",
    )
  const { sentinels } = redis.values
  for (const key of ['name', 'addresses'] as const)
    if (sentinels && !sentinels.entry(key) && !sentinels.isMisspelt(key))
      report.error('MISSING_KEY', redis.keyAt('sentinels'), `the sentinels need their ${key}`)
  if (redis.entry('username') && !redis.entry('password') && !redis.isMisspelt('password'))
    report.error(
      'BAD_CLUSTER',
      redis.keyAt('username'),
      'a user needs its password: password: { file: PATH }',
    )
}
