/** From an error to an answer: the one place that knows what each errno says about a server, or about lvsd itself. */
import { type Answer, down, noVerdict } from '../check.js'
import type { Phase, Reason } from '../model.js'

const REASONS: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  // A link-local address whose interface is gone.
  ENODEV: 'unreachable',
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
  EADDRNOTAVAIL: 'no local address or port is left for this target: widen net.ipv4.ip_local_port_range',
  EAFNOSUPPORT: 'this machine does not speak this address family',
  EAGAIN: 'the kernel has no resources left to start this check',
}

/** Of a socket, these are this machine's refusal; of a file or a command, they are what is wrong with that. */
const FORBIDDEN = 'this machine forbids it: look at its firewall, its routes and the capabilities of lvsd'
const FORBIDDEN_CALLS: ReadonlySet<unknown> = new Set([
  'connect',
  'bind',
  'socket',
  'send',
  'sendto',
  'sendmsg',
])

const WORDS: Readonly<Partial<Record<Reason, string>>> = {
  refused: 'connection refused',
  unreachable: 'no way to the server',
  reset: 'connection reset',
  timeout: 'no answer, and the connection was given up',
  name: 'the name does not resolve',
}

/** What a thrown or emitted error says: down with a reason, or no verdict where lvsd itself could not ask. */
export function answerFromError(error: unknown): Answer {
  const code = codeOf(error)
  const own = OWN[code] ?? (isForbidden(code, error) ? FORBIDDEN : undefined)
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

/** The result of a run that reached its deadline, naming the phase in which it stood. */
export function timedOut(phase: Phase | null, timeout: number): Answer {
  return down('timeout', `${WAITED_FOR[phase ?? 'run']} within ${timeout} ms`)
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

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  // Several addresses tried at once, as `net.connect` does for a name: the first error stands for all.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return typeof code === 'string' ? code : cause === undefined ? '' : codeOf(cause)
}

/** OpenSSL's certificate verdicts carry no common prefix in Node; these are all of X509_V_ERR_* that it maps. */
const CERTIFICATE =
  /^(UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|ERROR_IN_C|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/

function isForbidden(code: string, error: unknown): boolean {
  return (
    (code === 'EPERM' || code === 'EACCES') && FORBIDDEN_CALLS.has((error as { syscall?: unknown }).syscall)
  )
}

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
