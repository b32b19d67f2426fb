/**
 * Every kind of log line: its stable event name, a description for config/reference.md, and the fields that the line
 * may have beside its message. The start and the end of a problem are two kinds.
 */

interface LineKind<Field extends string> {
  readonly about: string
  readonly fields: readonly Field[]
}

/** The fields of a check result. */
const RESULT = ['reason', 'detail', 'phase', 'ms'] as const

export const LOG_EVENTS = {
  // lvsd itself
  'daemon.started': kind('lvsd runs.', 'file', 'services', 'reals', 'checks'),
  'daemon.stopped': kind('lvsd has stopped.'),
  'stop.failed': kind('A part of lvsd could not be stopped as it should; the others are.', 'error'),
  'signal.ignored': kind('A signal came that means nothing to lvsd.', 'signal'),
  'systemd.failed': kind('systemd cannot be told how lvsd is; said once.', 'error'),
  'observer.failed': kind('A part that follows what happens failed at it: a mistake in lvsd.', 'error'),
  'poll.failed': kind('Periodic work failed by a mistake in lvsd; it is repeated.', 'what', 'err'),
  'monitorfile.failed': kind('A monitorfile cannot be written.', 'file', 'error'),

  // the configuration
  'config.problem': kind('A problem of the configuration, by its code.', 'code', 'at'),
  'config.refused': kind(
    'lvsd starts with the configuration that was accepted last, because the file cannot run.',
    'file',
    'acceptedAt',
  ),
  'config.not-kept': kind('The accepted configuration cannot be kept for the next start.', 'error'),
  'config.changed': kind('The watched configuration file has changed.', 'file'),
  'config.unreadable': kind('The watched configuration cannot be read; it is tried again.', 'fault'),
  'config.readable': kind('The end of `config.unreadable`.'),
  'reload.accepted': kind('What was read again is in force.', 'file'),
  'reload.refused': kind('What was read again is not in force; what was accepted before goes on.', 'file'),
  'reload.failed': kind('A reload failed by a mistake in lvsd.', 'err'),
  'callback.loop': kind(
    'The callback changes the configuration each time, and is not run for that any more.',
    'callback',
    'file',
  ),

  // real servers and services
  'real.down': kind('A real server is down.', 'service', 'real', 'from', 'to', 'check', ...RESULT),
  'real.up': kind('A real server is up.', 'service', 'real', 'from', 'to', 'check', ...RESULT),
  'real.unknown': kind(
    'A real server is no longer down, and not all checks that it needs have answered.',
    'service',
    'real',
    'from',
    'to',
    'check',
    ...RESULT,
  ),
  'weight.changed': kind('A check has changed the weight.', 'service', 'real', 'from', 'to', 'detail'),
  'service.fallback-in': kind('The last real server has gone; the fallback is in.', 'service', 'fallback'),
  'service.fallback-out': kind(
    'A real server is back and the fallback is out: the end of service.fallback-in, and of `service.refused` where there is a fallback.',
    'service',
    'fallback',
  ),
  'service.refused': kind(
    'The last real server has gone, and there is no fallback, or none with an address: clients are refused.',
    'service',
    'fallback',
  ),
  'service.served': kind('A real server is back: the end of service.refused without a fallback.', 'service'),

  // checks
  'check.fails': kind(
    'One of several checks fails, and its real server stays what it is.',
    'service',
    'real',
    'state',
    'check',
    ...RESULT,
  ),
  'check.passes': kind(
    'One of several checks passes, and its real server stays what it is.',
    'service',
    'real',
    'state',
    'check',
    ...RESULT,
  ),
  'check.no-verdict': kind(
    'A check gave no verdict three times in a row: nobody looks at that real server.',
    'service',
    'real',
    'check',
    'detail',
  ),
  'check.verdict-again': kind('The end of `check.no-verdict`.', 'service', 'real', 'check'),
  'run.no-verdict': kind('One run of a check gave no verdict; said now and then.', 'job', 'detail'),
  'run.result': kind('The result of one run of a check (debug).', 'job', ...RESULT),
  'check.harmful': kind('A check harms its worker, and runs alone.', 'address', 'port', 'reason'),
  'check.behaves': kind('The end of `check.harmful`.', 'address', 'port', 'file'),
  'check.prints': kind('A check prints, which nobody reads.', 'worker', 'file', 'bytes', 'beginning'),
  'worker.started': kind('A worker for checks starts.', 'worker'),
  'worker.dismissed': kind('A worker for checks is not needed any more.', 'worker'),
  'worker.ended': kind('A worker for checks was ended for what a check did.', 'worker', 'reason'),
  'worker.unusable': kind('A worker cannot be used for some time.', 'worker', 'reason', 'seconds'),

  // the kernel's table
  'kernel.refused': kind('The kernel refused a change.', 'kernel'),
  'kernel.accepts': kind('The end of `kernel.refused`.'),
  'kernel.advice': kind('A setting of the kernel keeps clients with a server that failed.', 'services'),
  'timeouts.refused': kind('The kernel refused its timeouts of the configuration.', 'kernel'),
  'reconcile.failed': kind('A round over the table failed by a mistake in lvsd; it is repeated.', 'err'),
  'table.changed': kind('A change that lvsd has made (debug).', 'service', 'real', 'weight'),
  'table.kept': kind('lvsd stops, and leaves the table as it is.'),
  'table.cleaned': kind('lvsd stops, and its services with cleanstop are removed.', 'services'),
  'drift.repaired': kind(
    'Somebody else changed the table, and lvsd puts it right (debug during a dispute).',
    'service',
    'real',
    'weight',
  ),
  'table.dispute': kind('Another program keeps changing a service.', 'service', 'changes', 'seconds'),
  'table.dispute-over': kind('The end of `table.dispute`.', 'service', 'changes'),
  'journal.failed': kind('The ownership journal cannot be written; lvsd goes on without.', 'error'),
  'journal.works': kind('The end of `journal.failed`.'),
  'journal.damaged': kind('The journal could not be read at the start, and is moved away.', 'moved'),

  // names
  'name.resolved': kind('A name has an address, or another one.', 'name', 'address', 'was'),
  'name.failed': kind('A name does not resolve as it should.', 'services', 'address'),
  'name.works': kind('The end of `name.failed`.', 'services', 'address'),
  'name.clash': kind('A service is left out: its name resolves to the address of another service.'),
  'name.not-kept': kind('The addresses of names cannot be kept for the next start.', 'error'),
  'name.not-applied': kind('New addresses cannot be put in force by a mistake in lvsd.', 'err'),

  // maintenance
  'maintenance.begins': kind('A file holds a real server down.', 'service', 'real', 'file'),
  'maintenance.ends': kind('A real server is no longer held down.', 'service', 'real'),
  'maintenance.unmatched': kind('A file is named after no real server.', 'folder', 'file'),
  'maintenance.not-kept': kind('What is held down cannot be kept for the next start.', 'error'),
  'maintenance.folder-failed': kind(
    'The maintenance folder is gone or cannot be read; what was last seen in it counts.',
    'folder',
    'files',
  ),
  'maintenance.folder-works': kind('The end of `maintenance.folder-failed`.', 'folder', 'files'),

  // notifications
  'mail.sent': kind('A mail has been handed over.', 'to'),
  'mail.failed': kind('A mail does not get through.', 'server', 'to', 'error', 'subject'),
  'mail.works': kind('The end of `mail.failed`.', 'server', 'lost'),
  'mail.lost': kind('lvsd stops, and mails did not get through.', 'mails'),
  'hook.done': kind('A callback or fallbackcommand has run well.', 'hook'),
  'hook.failed': kind('A callback or fallbackcommand has failed.', 'hook', 'end', 'output'),
  'hook.not-run': kind('A callback or fallbackcommand was not run.', 'hook', 'error'),
  'hook.not-kept': kind('What a fallbackcommand was told cannot be kept for the next start.', 'error'),
  'socket.taken': kind('Something else is in the place of the control socket.', 'socket'),
  'socket.restored': kind('The control socket was removed by somebody else, and is made again.', 'socket'),
  'socket.lost': kind('The control socket was removed, and cannot be made again.', 'socket', 'error'),
}

/** Log lines of the command `ldirectord` only. Its log is written for people and does not show event names. */
export const LDIRECTORD_EVENTS = {
  'ldirectord.started': kind('The command `ldirectord` has started.'),
  'ldirectord.reload': kind('A signal asks the command `ldirectord` for a reload.'),
  'ldirectord.stopped': kind('A signal has ended the command `ldirectord`.'),
  'ldirectord.table': kind('A change of the table in the words of ldirectord.'),
  'execute.done': kind('A command `ldirectord` for a file of `execute` has run.', 'execute', 'command'),
  'execute.failed': kind('Such a command has failed.', 'execute', 'command', 'code', 'output'),
  'execute.not-run': kind('Such a command could not be run.', 'execute', 'command', 'error'),
}

type Kinds = typeof LOG_EVENTS & typeof LDIRECTORD_EVENTS

export type LogEvent = keyof Kinds

/** The fields that a line of this kind may have. */
export type LogField<Event extends LogEvent> = Kinds[Event]['fields'][number]

function kind<Field extends string = never>(about: string, ...fields: readonly Field[]): LineKind<Field> {
  return { about, fields }
}
