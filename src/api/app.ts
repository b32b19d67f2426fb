/** The API as a web application, which any number of listeners serve. The only file that imports fastify. */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type InjectOptions,
} from 'fastify'
import { z } from '../check/option-types.js'
import type { Log } from '../system/log.js'
import { writingJson } from '../util/sliced-json.js'
import { runSliced, type Sliced } from '../util/time-slice.js'
import { Busy, type Control } from './control.js'
import { documentOf, KINDS, type Kind, Refusal } from './problem-document.js'
import { readPart } from './request-problems.js'
import { Answer, type AnyRoute, type Caller } from './route.js'
import { nowhere } from './route-paths.js'
import { type Shared, shared } from './shared-answer.js'

/**
 * A place where clients connect: the Unix socket (`server.ts`), or a TCP port. It owns its server and its connections,
 * and hands each request to `App.handle`.
 */
export interface Listener {
  /** Called for each request that needs no token. Throws a Refusal (`too-many-requests`) above a limit of its own. */
  admit?(request: IncomingMessage): void
  /**
   * Returns who asks. Called once for each request before its body is read, unless the role of the route is `open`.
   * Throws a Refusal (`unauthenticated`, `too-many-requests`) if that is not known. On the Unix socket it is the peer's
   * user, who may do everything; on TCP it is the owner of a token.
   */
  authenticate(request: IncomingMessage): Caller | Promise<Caller>
  /** Executes `work`, the handling of a complete request. Meanwhile the listener does not close the connection. */
  answering<T>(socket: Socket, work: () => Promise<T>): Promise<T>
  /** Called before each answer is sent: limits how long the client takes to read it. */
  sending(response: ServerResponse): void
}

export interface App {
  /** Answers a request that a listener has received. Never throws. */
  handle(listener: Listener, request: IncomingMessage, response: ServerResponse): void
  /** Answers a request that `AppParts.otherwise` has received, without a connection. For tests. */
  inject(request: InjectOptions): Promise<{ status: number; headers: OutgoingHttpHeaders; text: string }>
  close(): Promise<void>
}

export interface AppParts {
  readonly routes: readonly AnyRoute[]
  readonly control: Control
  readonly log: Pick<Log, 'error'>
  /** Has received the requests that no listener hands over: those of `inject`. */
  readonly otherwise?: Listener
}

/** Bytes of a body, unless the route allows more. */
const BODY_LIMIT = 64 * 1024
/** Bytes of a body that is JSON, where the route allows more for a text: reading JSON blocks this thread. */
const JSON_LIMIT = 1024 * 1024
/** Maximum number of requests at once whose body may be larger than `BODY_LIMIT`. */
const MOST_LARGE = 4
/** Characters of one part of a path. */
const LONGEST_PARAM = 512
/** Shared answers of one route, by the address of the request. */
const MOST_SHARED = 32
/** Milliseconds after which a shared answer is made anew: its text does not stay in memory. */
const SHARED_FOR = 2000
/** Seconds after which a client should try again. */
const TRY_AGAIN = 1
const BUSY_AGAIN = 5

export async function openApp(parts: AppParts): Promise<App> {
  const app = new HttpApp(parts)
  await app.ready()
  return app
}

interface Arrival {
  readonly listener: Listener
  caller?: Caller
}

class HttpApp implements App {
  readonly #parts: AppParts
  readonly #app: FastifyInstance
  readonly #arrivals = new WeakMap<IncomingMessage, Arrival>()
  readonly #shared = new Set<Map<string, Shared<Buffer>>>()
  /** Number of requests with a large body that are not answered yet. */
  #large = 0

  constructor(parts: AppParts) {
    this.#parts = parts
    this.#app = fastify({
      // Not a line for each request: what is worth a line is logged by `#problem`.
      logger: false,
      // This server never listens. Listeners have servers of their own.
      serverFactory: handler => createServer(handler),
      frameworkErrors: (error, request, reply) => this.#problem(error, request, reply),
      routerOptions: { maxParamLength: LONGEST_PARAM },
      // Without these fastify loads ajv and a generator of serializers, which takes as long as the rest of the API.
      schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    })
    this.#app.removeAllContentTypeParsers()
    this.#app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    this.#app.setErrorHandler<FastifyError>((error, request, reply) => this.#problem(error, request, reply))
    this.#app.setNotFoundHandler((request, reply) => {
      this.#arrivalOf(request).listener.admit?.(request.raw)
      return send(reply, problemAnswer(nowhere(request.method, request.url, parts.routes)))
    })
    this.#app.addHook('onSend', async ({ raw }, reply) => {
      this.#arrivals.get(raw)?.listener.sending(reply.raw)
    })
  }

  /** In slices: for each route a function is made of a text. */
  async ready(): Promise<void> {
    await runSliced(this.#adding())
    await this.#app.ready()
  }

  handle(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    this.#arrivals.set(request, { listener })
    this.#app.routing(request, response)
  }

  async inject(request: InjectOptions) {
    const { statusCode, headers, payload } = await this.#app.inject(request)
    return { status: statusCode, headers, text: payload }
  }

  close(): Promise<void> {
    return this.#app.close()
  }

  *#adding(): Sliced<void> {
    for (const route of this.#parts.routes) {
      this.#add(route)
      yield
    }
  }

  #add(route: AnyRoute): void {
    const answerOf = this.#answerer(route)
    this.#app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: route.limit ?? BODY_LIMIT,
      onRequest: (request, reply) => this.#admit(request, reply, route),
      handler: async (request, reply) => {
        const { listener } = this.#arrivalOf(request)
        const { socket, method } = request.raw
        const answer = await listener.answering(socket, () => answerOf(request))
        // The answer to HEAD has no body: a stream would be read for as long as the connection lasts.
        if (answer.body instanceof Readable && method === 'HEAD') return send(reply, withoutBody(answer))
        if (answer.body instanceof Readable) void listener.answering(socket, () => closed(reply.raw))
        return send(reply, answer)
      },
    })
  }

  /** Decides by the head of a request whether its body is read. */
  async #admit(request: FastifyRequest, reply: FastifyReply, route: AnyRoute): Promise<void> {
    const arrival = this.#arrivalOf(request)
    if (route.role === 'open') arrival.listener.admit?.(request.raw)
    else {
      arrival.caller = await arrival.listener.authenticate(request.raw)
      if (RANK[arrival.caller.role] < RANK[route.role])
        throw new Refusal('forbidden', `${route.method} ${route.path} ${NEEDS[route.role]}`)
    }
    const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(';')
    const types = ['application/json', ...(route.texts ?? [])]
    if (route.body && type !== '' && !types.includes(type.trim()))
      throw new Refusal(
        'unsupported-media-type',
        `the body is ${type}; expected ${types.join(' or ')}: give it in the header Content-Type`,
      )
    if (route.limit !== undefined) this.#admitLarge(request, reply)
  }

  #admitLarge({ headers }: FastifyRequest, { raw }: FastifyReply): void {
    if (Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) <= BODY_LIMIT) return
    if (this.#large >= MOST_LARGE) throw new Busy(`${MOST_LARGE} large requests are being read already`)
    this.#large++
    raw.once('close', () => {
      this.#large--
    })
  }

  #answerer(route: AnyRoute): (request: FastifyRequest) => Promise<Answer> {
    if (route.isShared) return this.#sharer(route)
    const answerOf = async (request: FastifyRequest) => {
      const value = await this.#run(route, request)
      return value instanceof Answer ? value : new Answer(await runSliced(writingJson(value)))
    }
    if (route.role === 'open' || route.role === 'read') return answerOf
    return request => answerOf(request).finally(() => this.#forget())
  }

  /** Requests with the same address share an answer. It belongs to none of them: the end of one ends nothing. */
  #sharer(route: AnyRoute): (request: FastifyRequest) => Promise<Answer> {
    const answers = new Map<string, Shared<Buffer>>()
    this.#shared.add(answers)
    return async request => {
      const { url } = request.raw
      const key = url ?? ''
      let answer = answers.get(key)
      if (!answer) {
        const parts = partsOf(route, request)
        const run = () => route.handler(this.#parts.control, { ...NOBODY, ...parts })
        answer = shared(async () => runSliced(writingJson(await run())))
        answers.set(key, answer)
        const [oldest] = answers.keys()
        if (answers.size > MOST_SHARED && oldest !== undefined) answers.delete(oldest)
        setTimeout(() => answers.get(key) === answer && answers.delete(key), SHARED_FOR).unref()
      }
      return new Answer(await answer.get())
    }
  }

  #forget(): void {
    for (const answers of this.#shared) answers.clear()
  }

  async #run(route: AnyRoute, request: FastifyRequest): Promise<unknown> {
    const { control } = this.#parts
    const gone = new AbortController()
    const { caller } = this.#arrivalOf(request)
    const asked = {
      ...partsOf(route, request),
      body: route.body ? readPart(route.body, bodyOf(route, request), 'body') : undefined,
      who: () => caller?.who() ?? 'unknown',
      headers: request.headers,
      gone: gone.signal,
    }
    const { socket } = request.raw
    const leave = () => gone.abort()
    const stay = () => socket.off('close', leave)
    socket.once('close', leave)
    let isStream = false
    try {
      const answer = await route.handler(control, asked)
      if (answer instanceof Answer && answer.body instanceof Readable) {
        isStream = true
        answer.body.once('close', stay)
      }
      return answer
    } finally {
      if (!isStream) stay()
    }
  }

  #arrivalOf({ raw }: FastifyRequest): Arrival {
    const known = this.#arrivals.get(raw)
    if (known) return known
    const { otherwise } = this.#parts
    if (!otherwise) throw new Error('the request comes from no listener')
    const arrival = { listener: otherwise }
    this.#arrivals.set(raw, arrival)
    return arrival
  }

  #problem(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const refusal = refusalOf(error, request.routeOptions.bodyLimit)
    if (refusal.kind === 'failed')
      this.#parts.log.error(
        'api.failed',
        { method: request.method, path: request.routeOptions.url ?? '', err: error },
        'a request to the API failed because of a bug in lvsd',
      )
    return send(reply, problemAnswer(refusal))
  }
}

/** Routes have no schemas of fastify: zod validates, and bodies are texts. */
function unused(): never {
  throw new Error('a route has a schema of fastify')
}

/** From the least to the most. */
const RANK = { read: 0, operate: 1, local: 2 } as const
const NEEDS = {
  read: 'needs a token',
  operate: 'needs a token with the role operate',
  local: 'is possible on the control socket only',
} as const

const NO_QUERY = z.strictObject({})
const NOBODY = { body: undefined, who: () => 'unknown', headers: {}, gone: new AbortController().signal }

/** Returns the parameters of the path and the query. Throws a Refusal. */
function partsOf(route: AnyRoute, request: FastifyRequest) {
  return {
    params: route.params ? readPart(route.params, request.params, 'path') : {},
    query: readPart(route.query ?? NO_QUERY, request.query, 'query'),
  }
}

function send(reply: FastifyReply, { body, type, status, headers }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers })
    .type(type)
    .send(body)
}

function withoutBody({ body, ...rest }: Answer): Answer {
  if (body instanceof Readable) body.destroy()
  return new Answer('', rest)
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.closed) resolve()
    else response.once('close', resolve)
  })
}

function problemAnswer(refusal: Refusal): Answer {
  const type = 'application/problem+json'
  const [status] = KINDS[refusal.kind]
  const { headers = {} } = refusal.details
  return new Answer(JSON.stringify(documentOf(refusal)), { type, status, headers })
}

/** What the errors of fastify mean. */
const FASTIFY: Readonly<Record<string, readonly [Kind, string]>> = {
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid-request', 'the body is shorter than its Content-Length'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'the header Content-Type names no media type'],
  FST_ERR_BAD_URL: [
    'invalid-request',
    'the path is not valid: a % is not followed by two hexadecimal digits',
  ],
}

function refusalOf(error: Error & { code?: string; statusCode?: number }, limit = BODY_LIMIT): Refusal {
  if (error instanceof Refusal) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Refusal('too-large', `the body is larger than ${limit / 1024} KiB`)
  // By their names: who throws these can have another copy of their classes, where modules are loaded in two ways.
  if (error.name === 'TooManyWaiters')
    return new Refusal('unavailable', error.message, { headers: { 'retry-after': String(TRY_AGAIN) } })
  if (error.name === 'Busy')
    return new Refusal('too-many-requests', error.message, { headers: { 'retry-after': String(BUSY_AGAIN) } })
  const [kind, detail] = FASTIFY[error.code ?? ''] ?? []
  if (kind && detail) return new Refusal(kind, detail)
  const isTheirs = (error.statusCode ?? 500) < 500
  return new Refusal(isTheirs ? 'invalid-request' : 'failed', error.message)
}

/** The value of a JSON body, or a text. Undefined for an empty one. */
function bodyOf(route: AnyRoute, { body, headers }: FastifyRequest): unknown {
  if (!(body instanceof Buffer) || body.length === 0) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new Refusal('not-json', 'the body is not text in UTF-8')
  }
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';')
  if (route.texts?.includes(type.trim())) return text
  if (body.length > JSON_LIMIT)
    throw new Refusal('too-large', `a body of JSON is larger than ${JSON_LIMIT / 1024} KiB; send it as text`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal('not-json', `the body is not JSON: ${(error as Error).message}`)
  }
}
