/**
 * Every kind of log line: its stable event name, a description for config/reference.md, and the fields that the line
 * may have beside its message. The start and the end of a problem are two kinds.
 */

interface LineKind<Field extends string> {
  readonly about: string
  readonly fields: readonly Field[]
}

/** The fields of a check result. */
const RESULT = ['reason', 'detail', 'phase', 'ms', 'hint'] as const

export const LOG_EVENTS = {
  // lvsd itself
  'daemon.started': kind('lvsd has started.', 'file', 'services', 'reals', 'checks'),
  'check.first': kind(
    'The first result since the start: milliseconds from the start of the process to the begin of its check. The code cache is `used`, `missing` or `refused`; null if lvsd runs from its sources.',
    'afterMs',
    'codeCache',
  ),
  'daemon.stopped': kind('lvsd has stopped.'),
  'stop.failed': kind(
    'A component of lvsd failed to stop cleanly; the other components are stopped.',
    'error',
  ),
  'signal.ignored': kind('lvsd ignored a signal that it does not use.', 'signal'),
  'systemd.failed': kind('lvsd cannot report its state to systemd; logged once.', 'error'),
  'observer.failed': kind('An event listener failed because of a bug in lvsd.', 'error'),
  'poll.failed': kind('A periodic task failed because of a bug in lvsd; lvsd repeats it.', 'what', 'err'),
  'monitorfile.failed': kind('A monitorfile cannot be written.', 'file', 'error'),

  // the configuration
  'config.problem': kind('A problem in the configuration, with its code.', 'code', 'at'),
  'config.refused': kind(
    'lvsd starts with the last accepted configuration, because the file is invalid.',
    'file',
    'acceptedAt',
  ),
  'config.not-kept': kind(
    'The accepted configuration cannot be saved for the next start; it is tried again.',
    'error',
  ),
  'config.kept': kind('The end of `config.not-kept`.'),
  'config.changed': kind('The watched configuration file has changed.', 'file'),
  'config.unreadable': kind('The watched configuration cannot be read; lvsd tries again.', 'fault'),
  'config.readable': kind('The end of `config.unreadable`.'),
  'reload.accepted': kind('A reload succeeded; the new configuration is active.', 'file'),
  'reload.refused': kind(
    'A reload was refused; the previous configuration stays active. `detail` is the first error in the file.',
    'file',
    'detail',
  ),
  'reload.failed': kind('A reload failed because of a bug in lvsd.', 'err'),
  'callback.loop': kind(
    'The callback changes the configuration at each run, so lvsd no longer runs it for such changes.',
    'callback',
    'file',
  ),

  // real servers and services
  'real.down': kind('A real server is down.', 'service', 'real', 'from', 'to', 'check', ...RESULT),
  'real.up': kind('A real server is up.', 'service', 'real', 'from', 'to', 'check', ...RESULT),
  'real.unknown': kind(
    'A real server is no longer down, but not all required checks have a result.',
    'service',
    'real',
    'from',
    'to',
    'check',
    ...RESULT,
  ),
  'real.damped': kind(
    'Damping holds a real server down, because its state changes too often; its checks go on.',
    'service',
    'real',
    'changes',
    'within',
    'hold',
  ),
  'real.spared': kind(
    'Damping would hold a real server down, but no other one of its service would serve, and there is no fallback.',
    'service',
    'real',
    'changes',
    'within',
    'hold',
  ),
  'real.released': kind(
    'The end of `real.damped` and `real.spared`: the checks decide again.',
    'service',
    'real',
    'state',
  ),
  'weight.changed': kind(
    'A check changed the weight of a real server.',
    'service',
    'real',
    'from',
    'to',
    'detail',
  ),
  'service.fallback-in': kind(
    'No real server is available; the fallback is in the table.',
    'service',
    'fallback',
  ),
  'service.fallback-out': kind(
    'A real server is available again and the fallback is removed: the end of `service.fallback-in`, and of `service.refused` for a service with a fallback.',
    'service',
    'fallback',
  ),
  'service.refused': kind(
    'No real server is available, and there is no fallback with an address: clients are refused.',
    'service',
    'fallback',
  ),
  'service.served': kind(
    'A real server is available again: the end of `service.refused` for a service without a fallback.',
    'service',
  ),

  // virtual addresses
  'address.conflict': kind(
    'Another machine answers ARP or neighbour solicitations for a virtual address that this one has: clients may go past this director. `server` is the real server that it is, if it is one.',
    'address',
    'services',
    'interface',
    'hardware',
    'server',
  ),
  'address.conflict-over': kind(
    'The end of `address.conflict`: no other machine answers for the address any more, or this one does not have it now.',
    'address',
    'services',
  ),
  'address.not-asked': kind(
    'lvsd may not ask who else answers for the virtual addresses; told once.',
    'error',
  ),

  // checks
  'check.fails': kind(
    'One of several checks fails; the state of the real server does not change.',
    'service',
    'real',
    'state',
    'check',
    ...RESULT,
  ),
  'check.passes': kind(
    'One of several checks passes; the state of the real server does not change.',
    'service',
    'real',
    'state',
    'check',
    ...RESULT,
  ),
  'check.no-verdict': kind(
    'A check had no verdict three times in a row, so it does not monitor its real server.',
    'service',
    'real',
    'check',
    'detail',
  ),
  'engine.portable': kind(
    "The thread for checks does not work, so they run on Node's sockets: correct, but they cost more.",
    'error',
  ),
  'engine.restarted': kind('The thread for checks has ended and was started again.', 'error'),
  'check.virtual-source': kind(
    'Checks have a virtual address as their source, because this machine has no other one: their answers may go elsewhere.',
    'address',
    'server',
  ),
  'check.source-replaced': kind(
    'Checks have another source address than the kernel would choose: a virtual, deprecated or tentative one.',
    'address',
    'source',
    'server',
  ),
  'sentinel.left-out': kind(
    'Some servers get no sentinel, because the descriptors of lvsd do not suffice.',
    'count',
    'most',
  ),
  'hint.unavailable': kind(
    'lvsd cannot open sentinels and bare connections on this machine, or does not hear of changes of its network; checks come at their intervals.',
    'error',
  ),
  'check.sources-unknown': kind(
    'lvsd cannot ask the kernel for source addresses, so a virtual address may be the source of checks.',
    'error',
  ),
  'check.verdict-again': kind('The end of `check.no-verdict`.', 'service', 'real', 'check'),
  'run.no-verdict': kind('A run of a check had no verdict; logged occasionally.', 'job', 'detail'),
  'run.result': kind('The result of a run of a check (debug).', 'job', ...RESULT),
  'check.harmful': kind(
    'A check harmed its worker and now runs in a worker of its own.',
    'address',
    'port',
    'reason',
  ),
  'check.behaves': kind('The end of `check.harmful`.', 'address', 'port', 'file'),
  'check.prints': kind('A check prints output, which lvsd discards.', 'worker', 'file', 'bytes', 'beginning'),
  'worker.started': kind('A worker for checks has started.', 'worker'),
  'worker.dismissed': kind('A worker for checks is no longer needed.', 'worker'),
  'worker.ended': kind('A worker for checks ended because of the behaviour of a check.', 'worker', 'reason'),
  'worker.unusable': kind(
    'A worker failed and is not used for this number of seconds.',
    'worker',
    'reason',
    'seconds',
  ),

  // the kernel's table
  'kernel.refused': kind('The kernel refused a change.', 'kernel'),
  'kernel.accepts': kind('The end of `kernel.refused`.'),
  'kernel.advice': kind('A kernel setting (sysctl) keeps clients connected to a failed server.', 'services'),
  'timeouts.refused': kind('The kernel refused the configured timeouts.', 'kernel'),
  'reconcile.failed': kind('A reconciliation round failed because of a bug in lvsd; lvsd repeats it.', 'err'),
  'sysctl.set': kind('lvsd set a sysctl that the configuration declares.', 'sysctl', 'from', 'to'),
  'sysctl.drift': kind(
    'Another program changed a declared sysctl, and lvsd sets it again (debug if that happens repeatedly).',
    'sysctl',
    'from',
    'to',
  ),
  'sysctl.failed': kind('A declared sysctl cannot be set, or not be restored.', 'sysctl'),
  'sysctl.works': kind('The end of `sysctl.failed`.', 'sysctl'),
  'sysctl.restored': kind('lvsd restored the former value of a sysctl.', 'sysctl', 'from', 'to'),
  'sysctl.left': kind('A sysctl is not restored, because another program has set it.', 'sysctl', 'from'),
  'table.changed': kind('lvsd changed the table (debug).', 'service', 'real', 'weight'),
  'table.kept': kind('lvsd stops and leaves the table unchanged.'),
  'table.cleaned': kind('lvsd stops and removes its services that have `cleanstop`.', 'services'),
  'drift.repaired': kind(
    'Another program changed the table, and lvsd reverts the change (debug during a dispute).',
    'service',
    'real',
    'weight',
  ),
  'table.dispute': kind('Another program keeps changing a service.', 'service', 'changes', 'seconds'),
  'table.dispute-over': kind('The end of `table.dispute`.', 'service', 'changes'),
  'journal.failed': kind('The ownership journal cannot be written; lvsd continues without it.', 'error'),
  'journal.works': kind('The end of `journal.failed`.'),
  'journal.damaged': kind('The ownership journal was damaged at the start; lvsd renamed it.', 'moved'),
  'state.failed': kind('A file of the state folder cannot be written; it is tried again.', 'file', 'error'),
  'state.works': kind('The end of `state.failed`.', 'file'),
  'state.damaged': kind(
    'A file of the state folder is damaged, or a newer lvsd wrote it, or something else is in its place; what can be read counts, and the rest is kept aside.',
    'file',
    'moved',
  ),

  // isolation and panic
  'service.panic': kind(
    'Many real servers of a service went down at once: they keep their weights in the table.',
    'service',
    'down',
    'of',
  ),
  'service.panic-over': kind(
    'The end of `service.panic`: the table follows the checks again.',
    'service',
    'seconds',
  ),
  'real.removed': kind(
    'A real server that was quiesced is removed: the time of `on-down` is over.',
    'service',
    'real',
    'seconds',
  ),
  'director.isolated': kind(
    'lvsd itself cannot reach any server: failed checks do not count, and the table stays.',
    'detail',
  ),
  'director.connected': kind('The end of `director.isolated`.', 'seconds'),
  'director.paths-unknown': kind(
    'lvsd cannot ask the kernel for its routes and interfaces, so it would not notice that it is isolated.',
    'error',
  ),

  // several directors
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

  // names
  'name.resolved': kind('A name resolved to its first address or to a new one.', 'name', 'address', 'was'),
  'name.failed': kind(
    'A name does not resolve, or not to an address of the required family.',
    'services',
    'address',
  ),
  'name.works': kind('The end of `name.failed`.', 'services', 'address'),
  'name.clash': kind('A service is left out: its name resolves to the address of another service.'),
  'name.not-kept': kind('The addresses of names cannot be saved for the next start.', 'error'),
  'name.not-applied': kind('New addresses cannot be applied because of a bug in lvsd.', 'err'),

  // maintenance
  'maintenance.begins': kind(
    'A file in the maintenance folder holds a real server down.',
    'service',
    'real',
    'file',
    'reason',
  ),
  'override.begins': kind(
    'An override of an operator, or of a maintenance window, is active; `who` gave it, `until` is its end, if it has one.',
    'service',
    'real',
    'effect',
    'who',
    'reason',
    'until',
  ),
  'override.over': kind('A real server has no override any more.', 'service', 'real'),
  'override.ended': kind('An override has come to its end.', 'service', 'real', 'effect', 'who', 'reason'),
  'override.conflict': kind(
    'Two directors changed the same override while they could not hear each other: `counts` is in force, `lost` is not.',
    'service',
    'real',
    'effect',
    'counts',
    'lost',
  ),
  'override.unknown': kind(
    'A director with a newer lvsd has written overrides that this one does not know, `override` is one of them: they are not in force here, and stay as they are.',
    'count',
    'override',
    'director',
  ),
  'override.ended-early': kind(
    'An operator has ended an override; `who` gave it, `by` ended it.',
    'service',
    'real',
    'effect',
    'who',
    'reason',
    'by',
  ),
  'override.unmatched': kind(
    'The configuration no longer has the target of an override; it is kept for a day.',
    'service',
    'real',
    'effect',
    'who',
    'reason',
  ),
  'override.forgotten': kind(
    'An override ends because the configuration has not had its target for a day.',
    'service',
    'real',
    'effect',
    'who',
    'reason',
  ),
  'window.begun': kind(
    'A maintenance window has begun, or lvsd starts or reloads within one.',
    'service',
    'reals',
    'window',
    'until',
    'reason',
  ),
  'window.ended': kind(
    'A maintenance window is over, or the configuration no longer has it.',
    'service',
    'reals',
    'window',
    'until',
    'reason',
  ),
  'window.ended-early': kind(
    'An operator has ended a maintenance window early, for a real server or a service.',
    'service',
    'real',
    'window',
    'until',
    'who',
  ),
  'maintenance.ends': kind('A real server is no longer held down.', 'service', 'real'),
  'maintenance.unmatched': kind(
    'A file in the maintenance folder does not match any real server.',
    'folder',
    'file',
  ),
  'maintenance.not-kept': kind('The overrides cannot be saved for the next start.', 'error'),
  'maintenance.folder-failed': kind(
    'The maintenance folder is missing or unreadable; its last known content stays in effect.',
    'folder',
    'files',
  ),
  'maintenance.folder-works': kind('The end of `maintenance.folder-failed`.', 'folder', 'files'),

  // metrics
  'metrics.limited': kind(
    'There are more real servers than `metrics-reals`; the others have no metrics of their own.',
    'reals',
    'leftOut',
  ),

  // notifications
  'mail.sent': kind('The mail server or sendmail accepted a mail.', 'to'),
  'mail.failed': kind('A mail cannot be delivered.', 'server', 'to', 'error', 'subject'),
  'mail.works': kind('The end of `mail.failed`.', 'server', 'lost'),
  'mail.lost': kind('lvsd stops; mails that were not delivered are lost.', 'mails'),
  'alert.sent': kind('A receiver accepted alerts.', 'receiver', 'alerts', 'output'),
  'alert.failed': kind(
    'Alerts cannot be delivered to a receiver, or its command failed.',
    'receiver',
    'error',
    'alerts',
    'output',
  ),
  'alert.delivered-again': kind('The end of `alert.failed`.', 'receiver', 'lost'),
  'alert.undelivered': kind(
    'lvsd stops; alerts that were not delivered are left for the next start, or lost without a state folder.',
    'messages',
  ),
  'alert.ended': kind(
    'An alert is over without an event that ends it: what it is about is no longer configured, or was well again at the start.',
    'alert',
    'service',
    'real',
    'why',
  ),
  'hook.done': kind('A callback or fallbackcommand succeeded.', 'hook'),
  'hook.failed': kind('A callback or fallbackcommand failed.', 'hook', 'end', 'output'),
  'hook.not-run': kind('A callback or fallbackcommand was not run.', 'hook', 'error'),
  'hook.not-kept': kind(
    'The last argument (start or stop) of a fallbackcommand cannot be saved for the next start.',
    'error',
  ),
  'api.failed': kind('A request to the API failed because of a bug in lvsd.', 'method', 'path', 'err'),
  'socket.taken': kind('Another socket or file is at the path of the control socket.', 'socket'),
  'socket.restored': kind('Another program removed the control socket; lvsd creates it again.', 'socket'),
  'socket.group-failed': kind(
    'The control socket cannot be given to its group, so only its owner can use it.',
    'socket',
    'group',
    'error',
  ),
  'api.listening': kind('The API is served on a TCP address.', 'address'),
  'api.certificate-refused': kind(
    'The files of tls cannot be used; the certificate in use stays.',
    'address',
    'error',
  ),
  'api.certificate-renewed': kind('The files of tls have changed; new connections use them.', 'address'),
  'api.no-descriptors': kind('Without a file descriptor the API accepts no connections.', 'addresses'),
  'api.accepts': kind('The API accepts connections again.', 'addresses'),
  'api.not-listening': kind('The API cannot be served on a TCP address.', 'address', 'error'),
  'token.added': kind('A token of the API was made.', 'token', 'role', 'who'),
  'token.revoked': kind('A token of the API was revoked.', 'token', 'who'),
  'socket.lost': kind(
    'Another program removed the control socket, and lvsd cannot create it again.',
    'socket',
    'error',
  ),
}

/**
 * Kinds of lines that are no events: details of something that has an event of its own, or that may come often without
 * news. All other lines of level info and above are events.
 */
export const NO_EVENTS: ReadonlySet<string> = new Set<keyof typeof LOG_EVENTS>([
  'check.first',
  'config.problem',
  'run.no-verdict',
  'run.result',
  'signal.ignored',
  'worker.started',
  'worker.dismissed',
])

/** True if a line of this kind, of level info or above, is an event with an id. */
export function isEvent(name: LogEvent): boolean {
  return name in LOG_EVENTS && !NO_EVENTS.has(name)
}

/** Log lines of the command `ldirectord` only. Its log is written for people and does not show event names. */
export const LDIRECTORD_EVENTS = {
  'ldirectord.started': kind('The command `ldirectord` has started.'),
  'ldirectord.reload': kind('The command `ldirectord` received a signal to reload.'),
  'ldirectord.stopped': kind('A signal stopped the command `ldirectord`.'),
  'ldirectord.table': kind('A change of the table, in the wording of ldirectord.'),
  'execute.done': kind('A command `ldirectord` for a file of `execute` succeeded.', 'execute', 'command'),
  'execute.failed': kind(
    'A command `ldirectord` for a file of `execute` failed.',
    'execute',
    'command',
    'code',
    'output',
  ),
  'execute.not-run': kind(
    'A command `ldirectord` for a file of `execute` could not be run.',
    'execute',
    'command',
    'error',
  ),
}

type Kinds = typeof LOG_EVENTS & typeof LDIRECTORD_EVENTS

export type LogEvent = keyof Kinds

/** The fields that a line of this kind may have. */
export type LogField<Event extends LogEvent> = Kinds[Event]['fields'][number]

function kind<Field extends string = never>(about: string, ...fields: readonly Field[]): LineKind<Field> {
  return { about, fields }
}
