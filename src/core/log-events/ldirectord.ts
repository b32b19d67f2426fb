import { kind } from './kind.js'

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
