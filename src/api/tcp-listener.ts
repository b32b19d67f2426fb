/** Serves the API and the page on one TCP address, with or without TLS. Each request needs a token. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { parseHostPort } from '../core/address.js'
import { descriptorLimit } from '../system/descriptor-limit.js'
import type { App, Listener } from './app.js'
import { clientOf, type FailedAttempts, type RateLimit } from './attempts.js'
import { Connections } from './connections.js'
import { Handshakes } from './handshakes.js'
import { Refusal } from './problem-document.js'
import type { Caller } from './route.js'
import type { TlsContent } from './tls-files.js'
import type { Tokens } from './tokens.js'

/** Maximum milliseconds for a client to send a request, and to read the answer. */
const PATIENCE = 10_000
/** Milliseconds between two looks at clients that exceed `PATIENCE`. */
const LOOK_FOR_SLOW = 1000

export interface TcpListenerParts {
  readonly app: App
  readonly tokens: Tokens
  /** Failures of all listeners: another port is no second chance. */
  readonly attempts: FailedAttempts
  /** Requests of each token. */
  readonly rates: RateLimit
  /** Requests without a token, of each client. */
  readonly strangers: RateLimit
  /** Milliseconds for a client to send a request, and to read the answer; `PATIENCE` without. */
  readonly patience?: number
}

export class TcpListener implements Listener {
  readonly #parts: TcpListenerParts
  readonly #connections = new Connections(descriptorLimit())
  readonly #handshakes = new Handshakes()
  /** Names of the tokens of the requests that are being read or answered. A connection has one at a time. */
  readonly #tokens = new Map<Socket, string>()
  readonly #server: Server | HttpsServer
  #isMetricsOpen = false

  /** Throws a sentence if the content of the files of TLS cannot be used. Null: without TLS. */
  constructor(parts: TcpListenerParts, tls: TlsContent | null) {
    this.#parts = parts
    const { patience = PATIENCE } = parts
    const options = {
      requestTimeout: patience,
      headersTimeout: patience,
      connectionsCheckingInterval: Math.min(LOOK_FOR_SLOW, patience),
    }
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      this.#connections.inTurn(request, response, () => {
        response.once('close', () => this.#tokens.delete(socket))
        parts.app.handle(this, request, response)
      })
    }
    this.#server = tls
      ? // Most directors do not need it, and to load it takes half a millisecond.
        process
          .getBuiltinModule('node:https')
          .createServer({ ...options, ...tlsOf(tls), handshakeTimeout: PATIENCE }, serve)
      : createHttpServer(options, serve)
    if (tls) this.#server.on('connection', (socket: Socket) => this.#handshakes.add(socket))
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#handshakes.done(socket)
      this.#connections.add(socket)
    })
    // A connection that cannot be accepted, or whose handshake fails, affects only its client.
    this.#server.on('error', () => {})
    this.#server.on('tlsClientError', (_error, socket: Socket) => socket.destroy())
  }

  /** True: `/metrics` needs no token. */
  set isMetricsOpen(isOpen: boolean) {
    this.#isMetricsOpen = isOpen
  }

  /** Listens on `[2001:db8::1]:8443`. Rejects with the error of the system. */
  open(address: string): Promise<void> {
    const { host = '', port = '0' } = parseHostPort(address) ?? {}
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port: Number(port), ipv6Only: true }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  /** Uses renewed certificates for new connections. Throws a sentence if they cannot be used. */
  renew(tls: TlsContent): void {
    ;(this.#server as HttpsServer).setSecureContext(tlsOf(tls))
  }

  /** The page, the health of lvsd and open metrics: a flood of one client costs little, and no others wait for it. */
  admit({ socket }: IncomingMessage): void {
    const wait = this.#parts.strangers.take(clientOf(socket.remoteAddress ?? ''))
    if (wait > 0) throw tooMany('too many requests without a token come from this address', wait)
  }

  async authenticate(request: IncomingMessage): Promise<Caller> {
    const { tokens, attempts, rates } = this.#parts
    if (this.#isMetricsOpen && /^\/metrics(\?|$)/.test(request.url ?? '')) {
      this.admit(request)
      return { role: 'read', who: () => 'metrics' }
    }
    const [, text] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (text === undefined) {
      this.admit(request)
      throw unauthenticated(true)
    }
    const token = tokens.find(text)
    if (!token) {
      const client = clientOf(request.socket.remoteAddress ?? '')
      const blockedFor = attempts.waitOf(client)
      if (blockedFor > 0)
        throw tooMany('too many requests with a wrong token came from this address', blockedFor)
      await pause(attempts.failed(client))
      throw unauthenticated(false)
    }
    const wait = rates.take(token.name)
    if (wait > 0) throw tooMany(`the token ${token.name} makes too many requests`, wait)
    this.#tokens.set(request.socket, token.name)
    return { role: token.role, who: () => `token ${token.name}` }
  }

  answering<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
    return this.#connections.answering(socket, work)
  }

  sending(response: ServerResponse): void {
    response.setTimeout(PATIENCE, () => response.destroy())
  }

  /** Ends the requests of tokens that are no longer valid, also those whose answer has not begun. */
  cut(isEnded: (token: string) => boolean): void {
    for (const [socket, name] of this.#tokens) if (isEnded(name)) socket.destroy()
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
      // The server knows a connection only after its handshake.
      this.#handshakes.close()
    })
  }
}

function tlsOf({ cert, key, clientCa }: TlsContent) {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2' as const,
    ...(clientCa !== null && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
}

function unauthenticated(isMissing: boolean): Refusal {
  const why = isMissing
    ? 'the request has no token: Authorization: Bearer TOKEN'
    : 'the token is unknown, revoked or expired'
  return new Refusal('unauthenticated', `${why}; \`lvsd token add\` makes one`, {
    headers: { 'www-authenticate': 'Bearer realm="lvsd"' },
  })
}

function tooMany(message: string, ms: number): Refusal {
  return new Refusal('too-many-requests', message, {
    headers: { 'retry-after': String(Math.ceil(ms / 1000)) },
  })
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
