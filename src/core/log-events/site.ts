/** Kinds of log lines about several directors. */
import { kind } from './kind.js'

export const SITE_EVENTS = {
  'role.active': kind('This director is active: it serves the virtual addresses.', 'reason'),
  'role.standby': kind(
    'This director is standby; `table` is what it does with the table.',
    'reason',
    'table',
  ),
  'role.applied': kind(
    'The table and the checks follow a changed role: milliseconds since the change, and changes of the table.',
    'role',
    'ms',
    'changes',
  ),
  'role.unknown': kind(
    'The source of the role cannot be read, or what it says does not go together.',
    'role',
    'error',
  ),
  'role.known': kind('The end of `role.unknown`.'),
  'role.told': kind(
    '`lvsd role-notify` has told a state of VRRP; `counts` is no if a later one is known or it is another instance.',
    'who',
    'kind',
    'name',
    'state',
    'priority',
    'counts',
  ),
  'sync.started': kind(
    'A sync daemon of the kernel runs, as the role asks for it.',
    'state',
    'interface',
    'id',
  ),
  'sync.stopped': kind('A sync daemon of the kernel is stopped.', 'state'),
  'sync.refused': kind(
    'The kernel refuses to start, stop or tell its sync daemon; lvsd tries again.',
    'error',
  ),
  'sync.works': kind('The end of `sync.refused`.'),
  'role.foreign-lines': kind('The FIFO of VRRP has lines that are not of keepalived.', 'file'),
  'redis.connected': kind('lvsd has connected to Redis.', 'redis', 'version'),
  'redis.away': kind(
    'Redis cannot be used, or a part of it: lvsd goes on with what it knows, and tries again.',
    'redis',
    'reason',
    'detail',
  ),
  'redis.unsteady': kind(
    'Redis has been lost again and again, so that each time is not told any more; `redis.back` follows when it has stayed.',
    'redis',
    'reason',
    'detail',
    'losses',
    'minutes',
  ),
  'redis.warning': kind('The library for Redis or Node.js warns of something (debug).', 'detail'),
  'redis.back': kind('The end of `redis.away` or `redis.unsteady`.', 'redis', 'seconds'),
  'cluster.member-joined': kind(
    'Another director of the site has begun its heartbeats.',
    'director',
    'version',
  ),
  'cluster.member-left': kind('Another director of the site has ended or is cut off.', 'director'),
  'cluster.member-differs': kind(
    'Another director has had other services in its configuration, or other check files for them, for ten seconds.',
    'director',
    'services',
    'configs',
  ),
  'cluster.member-agrees': kind('The end of `cluster.member-differs`.', 'director'),
  'cluster.none-active': kind(
    'With Redis: no director of the site has been active for the time of a takeover (10 s at least, and four heartbeats).',
  ),
  'cluster.several-active': kind(
    'With Redis: several directors have been active at once for the time of a takeover. Not with always-active, nor with several addresses in role.',
    'directors',
  ),
  'cluster.one-active': kind('The end of `cluster.none-active` and `cluster.several-active`.'),
  'cluster.view-differs': kind(
    'With observers: a director finds most of its real servers otherwise than all other directors do; its own network may be at fault.',
    'director',
  ),
  'cluster.view-agrees': kind('The end of `cluster.view-differs`.', 'director'),
  'cluster.identity-taken': kind(
    'Another running director has the identity of this one, which takes a new one.',
    'director',
  ),
  'director.connectivity-lost': kind(
    'This director has lost its network by the conditions of `connectivity`: failed checks do not count, and the table stays.',
    'detail',
  ),
  'director.connectivity-restored': kind('The end of `director.connectivity-lost`.', 'seconds', 'detail'),
  'director.connectivity-unknown': kind(
    'A condition of `connectivity` cannot be judged, because lvsd cannot send pings or ask the kernel; it counts as good.',
    'error',
  ),
  'trackfile.failed': kind('The track-file for keepalived cannot be written.', 'file', 'error'),
  'trackfile.works': kind('The end of `trackfile.failed`.', 'file'),
}
