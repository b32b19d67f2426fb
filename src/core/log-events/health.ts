/** Kinds of log lines about real servers, services, virtual addresses and checks. */
import { kind, RESULT } from './kind.js'

export const HEALTH_EVENTS = {
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
}
