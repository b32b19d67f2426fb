/** Reads `cluster`: what a director does that is one of several. */
import { familyOfReal, serves, virtualsOf } from '../../core/kernel-services.js'
import type { Service } from '../../core/model.js'
import type { SyncPolicy } from '../../core/sync-daemon.js'
import type { Position } from '../problems/problem.js'
import type { Fields } from '../read/fields.js'
import { outputOf } from '../read/layers.js'
import {
  clusterFields,
  roleFields,
  standbyFields,
  syncFields,
  trackFileFields,
} from '../schema/cluster-fields.js'
import type { ClusterSettings } from '../schema/model-keys.js'
import type { redisFields } from '../schema/redis-fields.js'
import { readConnectivity } from './connectivity.js'
import type { Context } from './context.js'

type TrackFileFields = Fields<typeof trackFileFields>

export function readCluster(
  fields: Fields<typeof clusterFields>,
  services: readonly Service[],
  context: Context,
): ClusterSettings {
  const { role, standby, redis, connectivity, 'track-file': trackFile } = fields.values
  const sync = fields.values.sync as Fields<typeof syncFields> | null | undefined
  if (role) judgeRole(role, context)
  if (role?.values.from === 'redis' && !redis && !fields.isMisspelt('redis'))
    context.report.error(
      'MISSING_KEY',
      role.keyAt('from'),
      "a role from Redis needs it: redis: { url: 'redis://[2001:db8::1]:6379' }",
    )
  if (redis) judgeRedis(redis, fields.keyAt('redis'), context)
  judgeObservers(fields, context)
  if (trackFile) judgeTrackFile(trackFile as TrackFileFields, fields, context)
  return {
    ...outputOf(clusterFields, [fields]),
    role: outputOf(roleFields, role ? [role] : []),
    standby: outputOf(standbyFields, standby ? [standby] : []),
    connectivity: connectivity ? readConnectivity(connectivity, context) : null,
    sync: sync ? readSync(sync, services, context) : null,
    trackFile: trackFile ? outputOf(trackFileFields, [trackFile as TrackFileFields]) : null,
  }
}

const KEYS_OF = {
  'always-active': [],
  file: ['path'],
  redis: ['lease'],
  vrrp: ['address', 'interface', 'instance', 'group', 'fifo'],
} as const satisfies Readonly<Record<string, readonly (keyof typeof roleFields)[]>>

function judgeObservers(fields: Fields<typeof clusterFields>, { report }: Context): void {
  const has = (key: keyof typeof clusterFields) => fields.entry(key) !== undefined || fields.isMisspelt(key)
  if (fields.entry('observers') && !has('redis'))
    report.error(
      'MISSING_KEY',
      fields.keyAt('observers'),
      "observers share their results through Redis: redis: { url: 'redis://[2001:db8::1]:6379' }",
    )
  const observers = fields.entry('observers')
  if (observers && outputOf(clusterFields, [fields]).observers === 1)
    report.warn(
      'SINGLE_OBSERVER',
      observers.value.at,
      'a single observer decides for all directors, also while its own network is at fault; better: observers: 2',
    )
  if (fields.entry('agree') && !has('observers'))
    report.error('BAD_CLUSTER', fields.keyAt('agree'), 'agree has no meaning without observers')
}

/** The kernel refuses one of the two: the sync daemon, or a server of the other family. */
function readSync(
  sync: Fields<typeof syncFields>,
  services: readonly Service[],
  { report }: Context,
): SyncPolicy | null {
  if (!sync.entry('interface')) {
    if (!sync.isMisspelt('interface'))
      report.error('MISSING_KEY', sync.at, 'the sync daemon needs its interface: interface: eth0')
    return null
  }
  const policy = outputOf(syncFields, [sync])
  const mixed = policy.run === 'none' ? [] : services.flatMap(mixedReal)
  const [first] = mixed
  if (first)
    report.error(
      'BAD_CLUSTER',
      sync.at,
      `the sync daemon excludes real servers of the other family in the kernel: ${first}${mixed.length > 1 ? ` and ${mixed.length - 1} more` : ''}`,
    )
  return policy
}

function mixedReal(service: Service): readonly string[] {
  const { family: first } = service.virtual
  const fronts = virtualsOf(service).map(({ family }) => family)
  return service.reals.flatMap(real => {
    const own = familyOfReal(real, first)
    const isMixed = fronts.some(front => front !== null && own !== front && serves(real, front, first))
    return isMixed ? `${real.host} in ${service.name}` : []
  })
}

function judgeTrackFile(
  trackFile: TrackFileFields,
  fields: Fields<typeof clusterFields>,
  { report }: Context,
): void {
  if (!trackFile.entry('path') && !trackFile.isMisspelt('path'))
    report.error('MISSING_KEY', trackFile.at, 'a track-file needs its path: path: /run/lvsd/priority')
  if (!fields.entry('connectivity') && !fields.isMisspelt('connectivity'))
    report.error(
      'BAD_CLUSTER',
      fields.keyAt('track-file'),
      'a track-file without connectivity would always have 0',
    )
}

function judgeRole(role: Fields<typeof roleFields>, { report }: Context): void {
  const { from = 'always-active' } = role.values
  const has = (key: keyof typeof roleFields) => role.entry(key) !== undefined || role.isMisspelt(key)
  for (const [owner, keys] of Object.entries(KEYS_OF))
    for (const key of keys)
      if (from !== owner && role.entry(key))
        report.error('BAD_CLUSTER', role.keyAt(key), `${key} has no meaning without from: ${owner}`)
  if (from === 'file' && !has('path'))
    report.error('MISSING_KEY', role.keyAt('from'), 'a role from a file needs its path: path: /run/lvsd/role')
  if (from !== 'vrrp') return
  const isNamed = has('instance') || has('group')
  if (!has('address') && !isNamed)
    report.error(
      'MISSING_KEY',
      role.keyAt('from'),
      "a role by VRRP needs the virtual address, the instance or the group: address: '2001:db8::80'",
    )
  if (role.entry('instance') && role.entry('group'))
    report.error('BAD_CLUSTER', role.keyAt('group'), 'instance and group exclude each other')
  if (role.entry('fifo') && !isNamed)
    report.error(
      'MISSING_KEY',
      role.keyAt('fifo'),
      'the FIFO tells all instances: name the one that counts: instance: VI_1',
    )
  if (role.entry('interface') && !has('address'))
    report.error('BAD_CLUSTER', role.keyAt('interface'), 'interface has no meaning without address')
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
