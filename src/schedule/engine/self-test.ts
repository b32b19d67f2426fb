/** Tests at the start of the thread whether sockets and epoll work as the engine needs them, with servers of its own. */
import type { Answer } from '../../check/answer.js'
import { parseAddress } from '../../core/address.js'
import type { Reactor } from '../../probe/engine/reactor.js'
import { NativeProbes } from '../../probe/engine/start-native.js'
import { closeDescriptor } from '../../system/numeric-calls.js'
import { bindSocket, listenSocket, localPort, openStream, socketAddress } from '../../system/sockets.js'

/** Milliseconds after which the silent server must not have answered, and the limit of all. */
const SILENCE = 5
const LIMIT = 3000
const WANTED = { listening: null, refusing: 'refused', silent: 'timeout' } as const

type Case = keyof typeof WANTED

/** Returns what is wrong; null: nothing. Takes about 6 ms. */
export function selfTest(reactor: Reactor): string | null {
  const address = parseAddress('::1')
  const loopback = address && isUsable(address) ? address : parseAddress('127.0.0.1')
  if (!loopback) return 'no loopback address'
  const [listening, bound] = [openBound(loopback), openBound(loopback)]
  if (listening < 0 || bound < 0) return 'no socket can be bound to the loopback address'
  listenSocket(listening)
  const probes = new NativeProbes(reactor)
  const found = new Map<Case, Answer>()
  const begin = (kind: Case) => {
    const port = localPort(kind === 'refusing' ? bound : listening)
    const judge = kind === 'silent' ? ({ kind: 'any' } as const) : ({ kind: 'connected' } as const)
    const common = { kind: 'tcp', send: new Uint8Array(), end: false, reset: true } as const
    const start = probes.startFrom({ ...common, address: loopback, port, judge }, () => null)
    return start(LIMIT, answer => void found.set(kind, answer))
  }
  const runs = [begin('listening'), begin('refusing')]
  const silent = begin('silent')
  reactor.alarm(SILENCE, () => found.has('silent') || found.set('silent', silent.expire(SILENCE)))
  const end = reactor.now() + LIMIT
  while (found.size < 3 && reactor.now() < end) reactor.turn(SILENCE)
  for (const run of [...runs, silent]) run.cancel()
  probes.close()
  for (const fd of [listening, bound]) closeDescriptor(fd)
  const wrong = (Object.keys(WANTED) as Case[]).find(kind => found.get(kind)?.reason !== WANTED[kind])
  return wrong ? `a ${wrong} server: ${found.get(wrong)?.detail ?? 'no result'}` : null
}

type Loopback = NonNullable<ReturnType<typeof parseAddress>>

function isUsable(address: Loopback): boolean {
  const fd = openBound(address)
  if (fd >= 0) closeDescriptor(fd)
  return fd >= 0
}

/** Returns a socket that is bound to a free port, or a negative errno. */
function openBound(address: Loopback): number {
  const fd = openStream(address.family)
  if (fd < 0) return fd
  const failed = bindSocket(fd, socketAddress(address, 0))
  if (failed < 0) closeDescriptor(fd)
  return failed < 0 ? failed : fd
}
