/** Server of the control socket: HTTP and JSON over a Unix socket that its owner, and optionally a group, may open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { z } from '../check/option-types.js'
import { TooManyWaiters } from '../history/event-memory.js'
import type { Named } from '../overrides/targets.js'
import { groupId } from '../system/groups.js'
import type { Log } from '../system/log.js'
import { Poller } from '../util/poller.js'
import { type ConnectionsAnswer, type ConnectionsRequest, connectionsRequest } from './connection-types.js'
import { Connections } from './connections.js'
import { EVENTS_SCHEMA, type EventsAnswer, type EventsRequest, eventsRequest } from './event-types.js'
import { SUDO_USER } from './headers.js'
import { operatorOf } from './operator.js'
import {
  type EndRequest,
  endRequest,
  type GiveRequest,
  giveRequest,
  type OverrideOutcome,
  type TargetName,
} from './override-types.js'
import {
  type RecheckedReal,
  type RecheckOutcome,
  type RecheckRequest,
  type RecheckResultsRequest,
  recheckRequest,
  recheckResultsRequest,
} from './recheck-types.js'
import { shared } from './shared-answer.js'
import {
  type Found,
  type Held,
  leavePlace,
  look,
  SocketInUse,
  SocketUnusable,
  shareWith,
  takePlace,
} from './socket-path.js'
import type { ReloadOutcome, StatusDocument } from './status-types.js'
import type { WhyAnswer } from './why-types.js'
import type { WindowsDocument } from './windows-document.js'

export { SocketInUse, SocketUnusable }

export interface Control {
  status(): Promise<StatusDocument>
  /** `isForced` allows more removals than the settings do. */
  reload(isForced: boolean): Promise<ReloadOutcome>
  readonly overrides: {
    give(request: GiveRequest, who: string): Promise<OverrideOutcome>
    end(request: EndRequest): Promise<OverrideOutcome>
  }
  /** The maintenance windows of the active configuration. */
  windows(): WindowsDocument
  readonly why: {
    /** Names of all services and real servers. */
    targets(): Promise<readonly Named[]>
    /** Why a real server is as it is; of the service as a whole if `real` is null. A sentence if there is none. */
    explain(target: TargetName): Promise<WhyAnswer | string>
  }
  readonly events: {
    /** Waits up to `ms` milliseconds for an event that matches. Throws TooManyWaiters at once if too many clients wait. */
    wait(query: EventsRequest, ms: number, gone: AbortSignal): Promise<Omit<EventsAnswer, 'schema'>>
  }
  readonly recheck: {
    /** Runs the checks of the targets now. */
    now(request: RecheckRequest): Promise<RecheckOutcome>
    results(request: RecheckResultsRequest): Promise<readonly RecheckedReal[]>
  }
  readonly connections: {
    /** Reads only the services of the targets. */
    read(request: ConnectionsRequest): Promise<ConnectionsAnswer>
  }
}

/**
 * Returns the answer as JSON. `who` returns the user who asks; `query` is what follows the question mark. `gone` is aborted
 * when the client is gone.
 */
type Handler = (
  body: unknown,
  who: () => string,
  query: URLSearchParams,
  gone: AbortSignal,
) => Promise<string>

const BODY_LIMIT = 64 * 1024
/** Maximum milliseconds for a client to send a request, and to read the answer. */
const PATIENCE = 10_000
/** Milliseconds between two checks for clients that exceed `PATIENCE`. */
const LOOK_FOR_SLOW = 1000
/** Milliseconds between two checks that the socket still exists at its path. */
const LOOK_AT_PLACE = 2000

/** A request is refused: HTTP status and reason. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface ControlSocket {
  /** Opens the socket to a group (name or number) besides its owner; null: to the owner alone. */
  setGroup(group: string | null): void
  close(): Promise<void>
}

/** Opens the socket. An abandoned socket is replaced. Throws SocketInUse if a process serves it. */
export async function openControlSocket(
  path: string,
  control: Control,
  log: Pick<Log, 'warn' | 'error'> = SILENT,
): Promise<ControlSocket> {
  const socket = new OpenSocket(path, routesOf(control), log)
  await socket.open()
  return socket
}

const SILENT = { warn: () => {}, error: () => {} }

/** Returns the handlers by method and path. Concurrent requests for the status share one answer. */
function routesOf(control: Control): Readonly<Record<string, Handler>> {
  const status = shared(async () => JSON.stringify(await control.status()))
  return {
    'GET /status': () => status.get(),
    'POST /reload': async body => {
      const outcome = await control.reload((body as { force?: unknown })?.force === true)
      status.forget()
      return JSON.stringify(outcome)
    },
    'GET /windows': async () => JSON.stringify(control.windows()),
    'POST /overrides': async (body, who) => {
      const outcome = await control.overrides.give(read(giveRequest, body), who())
      status.forget()
      return JSON.stringify(outcome)
    },
    'POST /overrides/end': async body => {
      const outcome = await control.overrides.end(read(endRequest, body))
      status.forget()
      return JSON.stringify(outcome)
    },
    'GET /targets': async () => JSON.stringify(await control.why.targets()),
    'GET /why': async (_body, _who, query) => {
      const answer = await control.why.explain({
        service: query.get('service') ?? '',
        real: query.get('real'),
      })
      if (typeof answer === 'string') throw new Refusal(404, answer)
      return JSON.stringify(answer)
    },
    'GET /events': async (_body, _who, query, gone) => {
      const { wait = 0, ...request } = read(eventsRequest, Object.fromEntries(query))
      return JSON.stringify({ schema: EVENTS_SCHEMA, ...(await waited(control, request, wait, gone)) })
    },
    'POST /recheck': async body => JSON.stringify(await control.recheck.now(read(recheckRequest, body))),
    'POST /recheck/results': async body =>
      JSON.stringify(await control.recheck.results(read(recheckResultsRequest, body))),
    'POST /connections': async body =>
      JSON.stringify(await control.connections.read(read(connectionsRequest, body))),
  }
}

async function waited({ events }: Control, ...asked: Parameters<Control['events']['wait']>) {
  try {
    return await events.wait(...asked)
  } catch (error) {
    throw error instanceof TooManyWaiters ? new Refusal(503, error.message) : error
  }
}

/** A server on a path. If the socket file is removed, the server is bound again. */
class OpenSocket implements ControlSocket {
  readonly #path: string
  readonly #routes: Readonly<Record<string, Handler>>
  readonly #log: Pick<Log, 'warn' | 'error'>
  readonly #connections = new Connections()
  readonly #looks: Poller
  #server: Server | null = null
  #held: Held = ''
  #told: Found = 'ours'
  #group: string | null = null
  /** The group that was logged last as not usable. */
  #toldGroup: string | null = null

  constructor(path: string, routes: Readonly<Record<string, Handler>>, log: Pick<Log, 'warn' | 'error'>) {
    this.#path = path
    this.#routes = routes
    this.#log = log
    this.#looks = new Poller('control socket', () => this.#look(), { log })
  }

  async open(): Promise<void> {
    await this.#bind()
    this.#looks.every(LOOK_AT_PLACE)
  }

  setGroup(group: string | null): void {
    const before = this.#group
    this.#group = group
    if (group !== before || this.#toldGroup !== null) this.#share()
  }

  /** Logs once for each group that the socket cannot be given to it. */
  #share(): void {
    const group = this.#group
    try {
      const gid = group === null ? null : groupId(group)
      if (group !== null && gid === null) throw new Error('there is no such group in /etc/group')
      shareWith(gid, this.#path, this.#held)
      this.#toldGroup = null
    } catch (error) {
      if (this.#toldGroup === group) return
      this.#toldGroup = group
      const { code, message } = error as NodeJS.ErrnoException
      this.#log.warn(
        'socket.group-failed',
        { socket: this.#path, group, error: message },
        `only the owner can use the control socket: ${code === 'EPERM' ? `the user of lvsd is not in the group ${group} (SupplementaryGroups= in its unit)` : message}`,
      )
    }
  }

  async close(): Promise<void> {
    await this.#looks.stop()
    leavePlace(this.#path, this.#held)
    await ended(this.#server)
  }

  async #bind(): Promise<void> {
    const server = createServer(
      { requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: LOOK_FOR_SLOW },
      (request, response) =>
        this.#connections.inTurn(request, response, () => this.#answer(request, response)),
    )
    server.on('connection', socket => this.#connections.add(socket))
    this.#held = await takePlace(server, this.#path)
    // A connection may fail to be accepted if no descriptors are left. Only that client is affected.
    server.on('error', () => {})
    this.#server = server
    if (this.#group !== null) this.#share()
  }

  async #look(): Promise<void> {
    const found = await look(this.#path, this.#held).catch(() => 'nothing' as const)
    if (found === 'nothing' || found === 'abandoned') await this.#bindAgain()
    else this.#report(found)
  }

  async #bindAgain(): Promise<void> {
    await ended(this.#server)
    try {
      await this.#bind()
      this.#told = 'ours'
      this.#log.warn(
        'socket.restored',
        { socket: this.#path },
        'another program removed the control socket; lvsd has created it again',
      )
    } catch (error) {
      if (this.#told !== 'nothing')
        this.#log.error(
          'socket.lost',
          { socket: this.#path, error: (error as Error).message },
          'another program removed the control socket, and lvsd cannot create it again: commands cannot reach lvsd',
        )
      this.#told = 'nothing'
    }
  }

  /** Logs once that another program uses the path. It is left to that program. */
  #report(found: Found): void {
    if (found !== 'ours' && found !== this.#told)
      this.#log.error(
        'socket.taken',
        { socket: this.#path },
        found === 'served'
          ? 'another program serves the path of the control socket: commands cannot reach lvsd until that program ends'
          : 'another file is at the path of the control socket: commands cannot reach lvsd until it is removed',
      )
    this.#told = found
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, text } = await this.#outcomeOf(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    // A client that does not read its answer has the same time limit as one that does not complete its request.
    response.setTimeout(PATIENCE, () => response.destroy())
  }

  /** Never rejects. */
  async #outcomeOf(request: IncomingMessage): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const [path, query] = request.url?.split('?', 2) ?? []
      const handler = this.#routes[`${request.method} ${path}`]
      const routes = Object.keys(this.#routes).join(', ')
      if (!handler)
        throw new Refusal(404, `unknown request ${request.method} ${request.url}; known are ${routes}`)
      const body = await readBody(request)
      const who = () => operatorOf(request.socket, headerOf(request, SUDO_USER))
      const gone = new AbortController()
      const leave = () => gone.abort()
      request.socket.once('close', leave)
      const text = await this.#connections
        .answering(request.socket, () => handler(body, who, new URLSearchParams(query), gone.signal))
        .finally(() => request.socket.off('close', leave))
      return { status: 200, text }
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500
      return { status, text: JSON.stringify({ error: (error as Error).message }) }
    }
  }
}

function ended(server: Server | null): Promise<void> {
  return new Promise(resolve => {
    if (!server) return resolve()
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > BODY_LIMIT) throw new Refusal(413, `a request has at most ${BODY_LIMIT} bytes`)
  }
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    throw new Refusal(400, 'the request is not JSON')
  }
}

/** Throws a Refusal that says what is wrong with the body. */
function read<T extends z.ZodType>(type: T, body: unknown): z.output<T> {
  const { success, data, error } = type.safeParse(body)
  if (success) return data
  const [issue] = error.issues
  throw new Refusal(400, `the request is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`)
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
