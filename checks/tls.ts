import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { type Answer, defineCheck, down, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { destinationOf } from './lib/destination.js'
import { connectTls, tlsAnswer, tlsOptions, tlsProblem } from './lib/tls.js'

const DAY = 86_400_000

function options(kit: OptionKit) {
  return {
    days: kit.number(0, 'Days for which every certificate of the server must remain valid', { max: 3650 }),
    alpn: kit.list([], 'Protocols to offer (ALPN), such as h2; a server that accepts none of them is down'),
    ...tlsOptions(kit),
  }
}

type Options = Parsed<ReturnType<typeof options>>

/**
 * Performs a TLS handshake and checks the validity period of the certificates. It sends no application data. If the
 * server requires a client certificate and `cert` is not set, the check fails.
 */
export const check = defineCheck({
  name: 'tls',
  summary: 'performs a TLS handshake; the certificate must be valid now, or for some more days',
  defaultPort: 443,

  options,

  validate(options) {
    if (options.alpn.some(name => !/^[\x21-\x7e]{1,255}$/.test(name)))
      return problemOf('alpn', 'alpn takes names of protocols, such as h2 and http/1.1')
    return tlsProblem(options)
  },

  takesPath: () => true,
  async run(target, options, context) {
    const { alpn } = options
    const startedAt = performance.now()
    const peer = { ...destinationOf(target), name: null, readsChain: true, ...(alpn.length > 0 && { alpn }) }
    try {
      const socket = await connectTls(peer, options, context)
      try {
        const answer = judge(socket, options)
        return answer.ok
          ? ((await refusalOf(socket, (startedAt + context.timeout - performance.now()) / 2)) ?? answer)
          : answer
      } finally {
        socket.destroy()
      }
    } catch (error) {
      const answer = tlsAnswer(error)
      if (answer) return answer
      throw error
    }
  },
})

/** Maximum milliseconds to wait for a refusal or the end of the connection. */
const FAREWELL = 200

/**
 * Detects that the server refuses the client certificate. In TLS 1.2 the handshake fails then, but in TLS 1.3 it is
 * complete for the client before the server has checked the client certificate. For the same result, this function
 * closes the connection and waits for an alert. Returns null if there is none. A server with an optional client
 * certificate sends none.
 */
function refusalOf(socket: TLSSocket, patience: number): Promise<Answer | null> | null {
  if (socket.getProtocol() !== 'TLSv1.3') return null
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(null), Math.min(FAREWELL, patience))
    const end = (answer: Answer | null) => {
      clearTimeout(timer)
      resolve(answer)
    }
    // Other errors are caused by the close; the handshake is complete.
    socket.once('error', error => end(isAlert(error) ? tlsAnswer(error) : null))
    socket.once('close', () => end(null))
    socket.resume().end()
  })
}

function isAlert(error: Error): boolean {
  return /^ERR_SSL_\w+_ALERT_/.test((error as NodeJS.ErrnoException).code ?? '')
}

function judge(socket: TLSSocket, { days, alpn }: Options): Answer {
  if (alpn.length > 0 && !socket.alpnProtocol)
    return down('tls', `the server accepts none of the protocols ${alpn.join(', ')}`)
  const now = Date.now()
  const chain = chainOf(socket.getPeerCertificate(true))
  if (chain.length === 0) return down('tls', 'the server sends no certificate')
  for (const certificate of chain) {
    const problem = datesProblem(certificate, now, days)
    if (problem !== null) return down('tls', problem)
  }
  const soonest = Math.min(...chain.map(certificate => Date.parse(certificate.valid_to)))
  return up(`${socket.getProtocol()}, valid for ${daysUntil(soonest, now)} days more${first(chain)}`)
}

/** Returns the server's certificate and its known issuers. */
function chainOf(own: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  for (let next = own; next?.raw && !chain.includes(next); next = next.issuerCertificate) chain.push(next)
  return chain
}

function datesProblem(certificate: DetailedPeerCertificate, now: number, days: number): string | null {
  const { valid_from, valid_to } = certificate
  const who = nameOf(certificate)
  if (Date.parse(valid_from) > now) return `the certificate of ${who} is not valid before ${valid_from}`
  const left = Date.parse(valid_to) - now
  if (left < 0) return `the certificate of ${who} has expired, ${valid_to}: renew it`
  if (left >= days * DAY) return null
  return `the certificate of ${who} is valid for ${daysUntil(now + left, now)} days more, ${days} expected: renew it`
}

function daysUntil(time: number, now: number): number {
  return Math.floor((time - now) / DAY)
}

function first([own]: readonly DetailedPeerCertificate[]): string {
  return own ? `: ${nameOf(own)}` : ''
}

function nameOf({ subject, subjectaltname }: DetailedPeerCertificate): string {
  return String(subject?.CN ?? subjectaltname ?? 'no name')
}
