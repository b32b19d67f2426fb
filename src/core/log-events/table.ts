/** Kinds of log lines about the kernel's table, isolation and panic. */
import { kind } from './kind.js'

export const TABLE_EVENTS = {
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
  'state.none': kind('With a table in memory: what is not stored.'),
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
}
