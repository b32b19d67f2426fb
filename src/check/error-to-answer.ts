/**
 * Converts errors to answers: the only file that knows what each errno means for a server, or for lvsd itself.
 *
 * A failure on the network path counts as a failure of the server: clients cannot reach it either. Only an error that
 * is certainly local results in no verdict. Measured between network namespaces (Linux 6.18) with TCP, UDP and ping;
 * the prohibited route also on Linux 6.1:
 *
 *   errno                            from which call             meaning                                          answer
 *   ECONNREFUSED                     connect, recvmsg            RST; port unreachable                           refused
 *   EHOSTUNREACH ENETUNREACH         connect, send, recvmsg      no local or remote route; ICMP 3/0,1,5-7,9-13;  unreachable
 *   EHOSTDOWN ENONET                                             ICMPv6 1/0,2,3; local link down
 *   EACCES                           connect, send, recvmsg,     ICMPv6 1/1,5,6: administratively prohibited,    unreachable
 *                                    read, write                 by a router, a firewall, the server itself; a
 *                                                                local "prohibit" route or rejecting firewall
 *   ENOPROTOOPT EOPNOTSUPP EPROTO    connect, recvmsg            ICMP 3/2, 3/5, parameter problem                unreachable
 *   EACCES                           socket, bind                a capability or sysctl of this machine          no verdict
 *   EPERM                            any socket call             the same; local firewall that drops output      no verdict
 *   ENODEV                           connect, send               the zone's interface does not exist             no verdict
 *   EMFILE ENFILE ENOBUFS ENOMEM     any                         descriptors, memory                             no verdict
 *   EAGAIN EADDRNOTAVAIL EAFNOSUPPORT                            ports, local addresses, processes
 *   any, as ENOSPC                   epoll_ctl                   watched descriptors                              no verdict
 *
 * While lvsd itself can reach nobody, failures do not count, whatever their errno (health/isolation.ts).
 *
 * An immediate failure of connect does not reveal its origin: on a short path the ICMP error arrives before connect
 * returns. A local firewall that drops TCP silently looks like a silent server, which is a timeout.
 */

import type { Phase, Reason } from '../core/model.js'
import { type Answer, down, noVerdict } from './check.js'

const REASONS: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ENONET: 'unreachable',
  ENOPROTOOPT: 'unreachable',
  ENXIO: 'unreachable',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'name',
  ENODATA: 'name',
  EPROTO: 'tls',
}

/** Local shortages: nothing was sent to the server, so there is no verdict about it. */
const OWN: Readonly<Record<string, string>> = {
  EMFILE: 'lvsd has no file descriptor left: raise LimitNOFILE= or lower the concurrency',
  ENFILE: 'this machine has no file descriptor left: raise fs.file-max',
  ENOBUFS: 'the kernel has no buffer space left',
  ENOMEM: 'the kernel has no memory left',
  EADDRNOTAVAIL:
    'this machine has no source address for the server (a new IPv6 address is tentative for a second or two), or no local port ' +
    'left (net.ipv4.ip_local_port_range)',
  EAFNOSUPPORT: 'this machine does not support this address family',
  EAGAIN: 'the kernel has no resources left to start this check',
}

/** Socket calls. With a file or a command, the same errno means an error of that file or command. */
const SOCKET_CALLS: ReadonlySet<string> = new Set(['socket', 'bind', 'setsockopt'])
const NETWORK_CALLS: ReadonlySet<string> = new Set(
  'connect send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg read readv write writev'.split(' '),
)

/** Local refusals of a socket call. */
const OWN_REFUSALS: Readonly<Record<string, string>> = {
  EPERM: 'this machine does not permit it: check its own firewall (output) and the capabilities of lvsd',
  EACCES: 'this machine does not permit it: check the capabilities of lvsd',
  ENODEV: 'this machine has no such network interface',
}

const NO_SOURCE =
  'the source address of the check is not an address of this machine, or is tentative, or has no local port left (EADDRNOTAVAIL)'

const NO_WATCH = 'the kernel watches no further socket for this user: raise fs.epoll.max_user_watches'

/** Returns the detail for an error that came from the network path of a call, else undefined. */
function fromThePath(code: string, call: string): string | undefined {
  if (code === 'EACCES' && NETWORK_CALLS.has(call))
    return 'prohibited by a firewall or a route on the network path'
  const isIcmp = (code === 'EPROTO' || code === 'EOPNOTSUPP') && (call === 'connect' || call === 'recvmsg')
  return isIcmp ? 'refused by an ICMP error from the network path' : undefined
}

const WORDS: Readonly<Partial<Record<Reason, string>>> = {
  refused: 'connection refused',
  unreachable: 'server unreachable',
  reset: 'connection reset',
  timeout: 'connection timed out',
  name: 'the name does not resolve',
}

/** Converts a thrown or emitted error: down with a reason, or no verdict if lvsd itself could not run the check. */
export function answerFromError(error: unknown): Answer {
  if ((error as Error | null)?.name === 'CannotAsk') return noVerdict((error as Error).message)
  const { code, call } = originOf(error)
  const path = fromThePath(code, call)
  if (path !== undefined) return down('unreachable', `${path} (${code})`)
  if (code === 'EADDRNOTAVAIL' && call === 'bind') return noVerdict(NO_SOURCE)
  if (call === 'epoll_ctl') return noVerdict(`${NO_WATCH} (${code})`)
  const own =
    OWN[code] ?? (SOCKET_CALLS.has(call) || NETWORK_CALLS.has(call) ? OWN_REFUSALS[code] : undefined)
  if (own !== undefined) return noVerdict(`${own} (${code})`)
  const reason = REASONS[code] ?? otherReason(code, error)
  const words = WORDS[reason]
  return down(reason, words ? `${words} (${code})` : describe(error, code, call))
}

/** True for an error thrown by an aborted wait. */
export function isAbort(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
  return name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR'
}

/** Returns the answer of a run that reached its deadline. It names the current phase, which a user's check may define. */
export function timedOut(phase: Phase | null, timeout: number): Answer {
  const word = phase ?? 'run'
  const missed = Object.hasOwn(WAITED_FOR, word) ? WAITED_FOR[word] : `"${word}" was not complete`
  return down('timeout', `${missed} within ${timeout} ms`)
}

const WAITED_FOR: Readonly<Record<Phase, string>> = {
  resolve: 'the name was not resolved',
  connect: 'no connection',
  handshake: 'the TLS handshake was not complete',
  send: 'the request was not sent completely',
  'first byte': 'no answer',
  headers: 'the headers of the answer were not complete',
  body: 'the answer was not complete',
  run: 'no result',
}

/** Returns errno name and system call of the error, or else of its cause; '' for each that is unknown. */
function originOf(error: unknown, depth = 0): { code: string; call: string } {
  if (typeof error !== 'object' || error === null || depth > MOST_CAUSES) return { code: '', call: '' }
  // `net.connect` tries several addresses of a name; the first error represents all.
  if (error instanceof AggregateError && error.errors.length > 0) return originOf(error.errors[0], depth + 1)
  const { code, syscall, cause } = error as { code?: unknown; syscall?: unknown; cause?: unknown }
  const deeper = originOf(cause, depth + 1)
  if (typeof code !== 'string') return deeper
  // A library that wraps an error may copy only its code.
  const call = typeof syscall === 'string' ? syscall : deeper.code === code ? deeper.call : ''
  return { code, call }
}

/** Limits the depth, because a chain of causes may be circular. */
const MOST_CAUSES = 8

/** OpenSSL's certificate errors have no common prefix in Node; these are all X509_V_ERR_* codes that Node maps. */
const CERTIFICATE =
  /^(UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|ERROR_IN_C|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/

function otherReason(code: string, error: unknown): Reason {
  if (code.startsWith('EAI_')) return 'name'
  return isTls(code, error) ? 'tls' : 'error'
}

function isTls(code: string, error: unknown): boolean {
  return /^ERR_(SSL|TLS|OSSL)_/.test(code) || CERTIFICATE.test(code) || (error as Error)?.name === 'SSLError'
}

/** Node's sockets add the address to the call and the code, epoll does not; the result is the same of both. */
function describe(error: unknown, code: string, call: string): string {
  const message = error instanceof Error ? error.message : String(error)
  if (NETWORK_CALLS.has(call) && message.startsWith(`${call} ${code}`)) return `${call}: ${code}`
  const brief = (message.split('\n')[0] ?? '').slice(0, 300)
  return code === '' || brief.includes(code) ? brief || 'an error without a message' : `${brief} (${code})`
}
