/**
 * From an error to an answer: the one place that knows what each errno says about a server, or about lvsd itself.
 *
 * A failure of the path is the server's: what cannot be reached cannot be served, whoever on the way is the cause. Only
 * what is certain to be this machine's own want is no verdict. Tried between network namespaces (Linux 6.18), TCP, UDP and
 * ping alike; the prohibited route in the lab too (Linux 6.1):
 *
 *   errno                            from which call             what it is                                      answer
 *   ECONNREFUSED                     connect, recvmsg            RST; port unreachable                           refused
 *   EHOSTUNREACH ENETUNREACH         connect, send, recvmsg      no route here or there; ICMP 3/0,1,5-7,9-13;    unreachable
 *   EHOSTDOWN ENONET                                             ICMPv6 1/0,2,3; own link down
 *   EACCES                           connect, send, recvmsg,     ICMPv6 1/1,5,6: administratively prohibited,    unreachable
 *                                    read, write                 by a router, a firewall, the server itself; a
 *                                                                "prohibit" route or a rejecting firewall here
 *   ENOPROTOOPT EOPNOTSUPP EPROTO    connect, recvmsg            ICMP 3/2, 3/5, parameter problem                unreachable
 *   EACCES                           socket, bind                a capability or a sysctl of this machine        no verdict
 *   EPERM                            any of a socket             the same; own firewall that drops what is sent  no verdict
 *   ENODEV                           connect, send               the zone's interface does not exist             no verdict
 *   EMFILE ENFILE ENOBUFS ENOMEM     any                         descriptors, memory                             no verdict
 *   EAGAIN EADDRNOTAVAIL EAFNOSUPPORT                            ports, own addresses, processes
 *
 * Whether connect fails at once does not tell whose failure it is: on a short way the ICMP error is there before it
 * returns. A firewall here that drops TCP in silence cannot be told from a silent server: that is a timeout.
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

/** lvsd's own want: nothing was asked of the server, so nothing is said about it. */
const OWN: Readonly<Record<string, string>> = {
  EMFILE: 'lvsd has no file descriptor left: raise LimitNOFILE= or lower the concurrency',
  ENFILE: 'this machine has no file descriptor left: raise fs.file-max',
  ENOBUFS: 'the kernel has no buffer space left',
  ENOMEM: 'the kernel has no memory left',
  EADDRNOTAVAIL:
    'this machine has no address to ask it from (a new IPv6 address is tentative for a second or two), or no local port ' +
    'left (net.ipv4.ip_local_port_range)',
  EAFNOSUPPORT: 'this machine does not speak this address family',
  EAGAIN: 'the kernel has no resources left to start this check',
}

/** Calls on a socket. Of a file or a command the same errno is what is wrong with that. */
const SOCKET_CALLS: ReadonlySet<string> = new Set(['socket', 'bind', 'setsockopt'])
const NETWORK_CALLS: ReadonlySet<string> = new Set(
  'connect send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg read readv write writev'.split(' '),
)

/** Of a call on a socket, this machine's own refusal. */
const OWN_REFUSALS: Readonly<Record<string, string>> = {
  EPERM: 'this machine forbids it: look at its own firewall (output) and the capabilities of lvsd',
  EACCES: 'this machine forbids it: look at the capabilities of lvsd',
  ENODEV: 'this machine has no such network interface',
}

/** Of a call that goes over the network, an answer that came from the way there. */
function fromThePath(code: string, call: string): string | undefined {
  if (code === 'EACCES' && NETWORK_CALLS.has(call)) return 'prohibited by a firewall or a route on the way'
  const isIcmp = (code === 'EPROTO' || code === 'EOPNOTSUPP') && (call === 'connect' || call === 'recvmsg')
  return isIcmp ? 'refused on the way by an ICMP error' : undefined
}

const WORDS: Readonly<Partial<Record<Reason, string>>> = {
  refused: 'connection refused',
  unreachable: 'no way to the server',
  reset: 'connection reset',
  timeout: 'no answer, and the connection was given up',
  name: 'the name does not resolve',
}

/** What a thrown or emitted error says: down with a reason, or no verdict where lvsd itself could not ask. */
export function answerFromError(error: unknown): Answer {
  if ((error as Error | null)?.name === 'CannotAsk') return noVerdict((error as Error).message)
  const { code, call } = originOf(error)
  const path = fromThePath(code, call)
  if (path !== undefined) return down('unreachable', `${path} (${code})`)
  const own =
    OWN[code] ?? (SOCKET_CALLS.has(call) || NETWORK_CALLS.has(call) ? OWN_REFUSALS[code] : undefined)
  if (own !== undefined) return noVerdict(`${own} (${code})`)
  const reason = REASONS[code] ?? otherReason(code, error)
  const words = WORDS[reason]
  return down(reason, words ? `${words} (${code})` : describe(error, code))
}

/** True for what an aborted wait throws. */
export function isAbort(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
  return name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR'
}

/** The result of a run that reached its deadline, naming the phase in which it stood; a user's check has its own. */
export function timedOut(phase: Phase | null, timeout: number): Answer {
  const word = phase ?? 'run'
  const missed = Object.hasOwn(WAITED_FOR, word) ? WAITED_FOR[word] : `"${word}" was not complete`
  return down('timeout', `${missed} within ${timeout} ms`)
}

const WAITED_FOR: Readonly<Record<Phase, string>> = {
  resolve: 'the name was not resolved',
  connect: 'no connection',
  handshake: 'the TLS handshake was not complete',
  send: 'the request was not taken',
  'first byte': 'no answer',
  headers: 'the headers of the answer were not complete',
  body: 'the answer was not complete',
  run: 'no result',
}

/** The errno and the system call, '' where there is none: of the error itself, else of what has caused it. */
function originOf(error: unknown, depth = 0): { code: string; call: string } {
  if (typeof error !== 'object' || error === null || depth > MOST_CAUSES) return { code: '', call: '' }
  // Several addresses tried at once, as `net.connect` does for a name: the first error stands for all.
  if (error instanceof AggregateError && error.errors.length > 0) return originOf(error.errors[0], depth + 1)
  const { code, syscall, cause } = error as { code?: unknown; syscall?: unknown; cause?: unknown }
  const deeper = originOf(cause, depth + 1)
  if (typeof code !== 'string') return deeper
  // A library that wraps an error may copy its code alone.
  const call = typeof syscall === 'string' ? syscall : deeper.code === code ? deeper.call : ''
  return { code, call }
}

/** A cause may lead back to its error. */
const MOST_CAUSES = 8

/** OpenSSL's certificate verdicts carry no common prefix in Node; these are all of X509_V_ERR_* that it maps. */
const CERTIFICATE =
  /^(UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|ERROR_IN_C|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/

function otherReason(code: string, error: unknown): Reason {
  if (code.startsWith('EAI_')) return 'name'
  return isTls(code, error) ? 'tls' : 'error'
}

function isTls(code: string, error: unknown): boolean {
  return /^ERR_(SSL|TLS|OSSL)_/.test(code) || CERTIFICATE.test(code) || (error as Error)?.name === 'SSLError'
}

function describe(error: unknown, code: string): string {
  const message = error instanceof Error ? error.message : String(error)
  const brief = (message.split('\n')[0] ?? '').slice(0, 300)
  return code === '' || brief.includes(code) ? brief || 'an error without a message' : `${brief} (${code})`
}
