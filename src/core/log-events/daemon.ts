/** Kinds of log lines about lvsd itself and its configuration. */
import { kind } from './kind.js'

export const DAEMON_EVENTS = {
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
    'lvsd starts with the last accepted configuration, because the file is invalid. `detail` is the first error in the file.',
    'file',
    'acceptedAt',
    'detail',
  ),
  'config.not-kept': kind(
    'The accepted configuration cannot be saved for the next start; it is tried again.',
    'error',
  ),
  'config.kept': kind('The end of `config.not-kept`.'),
  'config.changed': kind(
    'The watched configuration has changed. `file` is the first file that differs.',
    'file',
  ),
  'config.waits': kind(
    'A changed configuration may be incomplete; lvsd applies it after ten seconds without a change. `file` is the first file that differs.',
    'file',
  ),
  'config.unreadable': kind(
    'The watched configuration is missing or cannot be read; the running one stays, and lvsd tries again.',
    'fault',
  ),
  'config.readable': kind('The end of `config.unreadable`.'),
  'reload.accepted': kind(
    'A reload succeeded; the new configuration is active. A warning where it has removed services or real servers, which its message names.',
    'file',
  ),
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
}
