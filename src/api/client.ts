/** Client of the control socket of a running lvsd. */
import { statSync } from 'node:fs'
import { request } from 'node:http'
import type { Named } from '../overrides/targets.js'
import { pause } from '../util/pause.js'
import type { DirectorsDocument } from './cluster-status-types.js'
import type { ConnectionsAnswer, ConnectionsRequest } from './connection-types.js'
import type { EventsAnswer, EventsQuery, SiteEventsAnswer } from './event-types.js'
import { SUDO_USER } from './headers.js'
import type {
  EndRequest,
  EndWindowsRequest,
  GiveRequest,
  OverrideOutcome,
  TargetName,
} from './override-types.js'
import type { ProblemDocument } from './problem-types.js'
import type { RecheckedReal, RecheckOutcome, RecheckRequest, RecheckResultsRequest } from './recheck-types.js'
import type { HealthDocument, NotifyAnswer, NotifyRequest, RoleDocument } from './role-types.js'
import type { ReloadOutcome, StatusDocument } from './status-types.js'
import type { AddTokenRequest, TokenAdded, TokenList, TokenRevoked } from './token-types.js'
import type { WhyAnswer } from './why-types.js'
import type { WindowsDocument } from './windows-types.js'

export { DEFAULT_SOCKET } from './default-socket.js'

/**
 * The daemon cannot be reached, or refuses. The message says why and what to do. `isDenied` is true if a permission is
 * missing, `isRefused` if the daemon has answered that what was asked cannot be.
 */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly isDenied: boolean
  readonly isRefused: boolean

  constructor(
    message: string,
    {
      isDenied = false,
      isRefused = false,
      ...options
    }: ErrorOptions & { isDenied?: boolean; isRefused?: boolean } = {},
  ) {
    super(message, options)
    this.isDenied = isDenied
    this.isRefused = isRefused
  }
}

const STATUS_TIMEOUT = 10_000
/** What asks for the health each second must not wait for long. */
const HEALTH_TIMEOUT = 2000
/** The answer to a reload arrives when it is done: the configuration is read, the table read and changed. */
const RELOAD_TIMEOUT = 120_000
/** An override is on the disk when it is answered. */
const OVERRIDE_TIMEOUT = 20_000

/** Longer than the longest wait for an event. */
const EVENTS_TIMEOUT = 40_000

/** Returns the status document of the daemon. Throws a ControlError. */
export async function fetchStatus(socket: string): Promise<StatusDocument> {
  return (await ask(socket, 'GET', '/v1/status', null, STATUS_TIMEOUT)) as StatusDocument
}

/** Returns the directors of the site. Throws a ControlError. */
export async function fetchDirectors(socket: string): Promise<DirectorsDocument> {
  return (await ask(socket, 'GET', '/v1/directors', null, STATUS_TIMEOUT)) as DirectorsDocument
}

/** Returns the maintenance windows of the daemon's configuration. Throws a ControlError. */
export async function fetchWindows(socket: string): Promise<WindowsDocument> {
  return (await ask(socket, 'GET', '/v1/windows', null, STATUS_TIMEOUT)) as WindowsDocument
}

/** Makes the daemon reload its configuration. `force` disables the limits on removals. Throws a ControlError. */
export async function requestReload(socket: string, force: boolean): Promise<ReloadOutcome> {
  return (await ask(socket, 'POST', '/v1/reload', { force }, RELOAD_TIMEOUT)) as ReloadOutcome
}

/** Returns the role of this director. Throws a ControlError. */
export async function fetchRole(socket: string): Promise<RoleDocument> {
  return (await ask(socket, 'GET', '/v1/role', null, STATUS_TIMEOUT)) as RoleDocument
}

/**
 * Returns whether this director can serve; `services` are names, separated by commas. Waits two seconds at most.
 * Throws a ControlError.
 */
export async function fetchHealth(socket: string, services: string | null): Promise<HealthDocument> {
  const query = services === null ? '' : `?${new URLSearchParams({ services })}`
  return (await ask(socket, 'GET', `/v1/health${query}`, null, HEALTH_TIMEOUT)) as HealthDocument
}

/** Tells the daemon a state of VRRP. Throws a ControlError. */
export async function notifyRole(socket: string, word: NotifyRequest): Promise<NotifyAnswer> {
  return (await ask(socket, 'POST', '/v1/role/notify', word, STATUS_TIMEOUT)) as NotifyAnswer
}

/** Gives the same override to each target. Throws a ControlError. */
export async function giveOverride(socket: string, request: GiveRequest): Promise<OverrideOutcome> {
  return (await ask(socket, 'POST', '/v1/overrides', request, OVERRIDE_TIMEOUT)) as OverrideOutcome
}

/** Ends overrides on each target. Throws a ControlError. */
export async function endOverrides(socket: string, request: EndRequest): Promise<OverrideOutcome> {
  return (await ask(socket, 'POST', '/v1/overrides/end', request, OVERRIDE_TIMEOUT)) as OverrideOutcome
}

/** Ends the open maintenance windows of each target. Throws a ControlError. */
export async function endWindows(socket: string, request: EndWindowsRequest): Promise<OverrideOutcome> {
  return (await ask(socket, 'POST', '/v1/windows/end', request, OVERRIDE_TIMEOUT)) as OverrideOutcome
}

/** Returns events; with `wait` after that time at the latest. `signal` cancels the request. Throws a ControlError. */
export async function fetchEvents(
  socket: string,
  query: EventsQuery,
  signal?: AbortSignal,
): Promise<EventsAnswer> {
  const path = `/v1/events?${queryText(query)}`
  return (await ask(socket, 'GET', path, null, EVENTS_TIMEOUT, signal)) as EventsAnswer
}

/** Returns the last events of all directors of the site. Throws a ControlError. */
export async function fetchSiteEvents(
  socket: string,
  query: Omit<EventsQuery, 'after' | 'wait'>,
): Promise<SiteEventsAnswer> {
  const path = `/v1/site/events?${queryText(query)}`
  return (await ask(socket, 'GET', path, null, EVENTS_TIMEOUT)) as SiteEventsAnswer
}

function queryText(query: EventsQuery): URLSearchParams {
  return new URLSearchParams(
    Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  )
}

/** Returns the connections of the targets, read from the kernel within the last half second. Throws a ControlError. */
export async function fetchConnections(
  socket: string,
  request: ConnectionsRequest,
): Promise<ConnectionsAnswer> {
  return (await ask(socket, 'POST', '/v1/connections', request, STATUS_TIMEOUT)) as ConnectionsAnswer
}

/** Returns the names of all services and real servers. Throws a ControlError. */
export async function fetchTargets(socket: string, timeout = STATUS_TIMEOUT): Promise<readonly Named[]> {
  return (await ask(socket, 'GET', '/v1/targets', null, timeout)) as readonly Named[]
}

/** Returns why a real server, or a service (`real: null`), is as it is. Throws a ControlError. */
export async function fetchWhy(socket: string, { service, real }: TargetName): Promise<WhyAnswer> {
  const query = new URLSearchParams({ service, ...(real !== null && { real }) })
  return (await ask(socket, 'GET', `/v1/why?${query}`, null, STATUS_TIMEOUT)) as WhyAnswer
}

/** Runs the checks of the targets now. Throws a ControlError. */
export async function requestRecheck(socket: string, request: RecheckRequest): Promise<RecheckOutcome> {
  return (await ask(socket, 'POST', '/v1/recheck', request, STATUS_TIMEOUT)) as RecheckOutcome
}

/** Returns the targets with new results. Throws a ControlError. */
export async function fetchRechecked(
  socket: string,
  request: RecheckResultsRequest,
): Promise<readonly RecheckedReal[]> {
  return (await ask(
    socket,
    'POST',
    '/v1/recheck/results',
    request,
    STATUS_TIMEOUT,
  )) as readonly RecheckedReal[]
}

/** Makes a token of the API over TCP. Throws a ControlError. */
export async function addToken(socket: string, request: AddTokenRequest): Promise<TokenAdded> {
  return (await ask(socket, 'POST', '/v1/tokens', request, OVERRIDE_TIMEOUT)) as TokenAdded
}

/** Returns the tokens, without their secrets. Throws a ControlError. */
export async function fetchTokens(socket: string): Promise<TokenList> {
  return (await ask(socket, 'GET', '/v1/tokens', null, STATUS_TIMEOUT)) as TokenList
}

/** Revokes a token. Throws a ControlError. */
export async function revokeToken(socket: string, name: string): Promise<TokenRevoked> {
  const path = `/v1/tokens/${encodeURIComponent(name)}`
  return (await ask(socket, 'DELETE', path, null, OVERRIDE_TIMEOUT)) as TokenRevoked
}

const [NOT_FOUND, REFUSED, UNAVAILABLE] = [404, 409, 503]
/** What Redis has to tell: lvsd answers, also while Redis does not. */
const OF_SITE = '/v1/site/'

async function ask(
  socket: string,
  method: string,
  path: string,
  body: unknown,
  timeout: number,
  stop?: AbortSignal,
): Promise<unknown> {
  try {
    const limit = AbortSignal.timeout(timeout)
    const signal = stop ? AbortSignal.any([limit, stop]) : limit
    const { status, text } = await exchangePatiently(signal, () =>
      exchange(socket, method, path, body, signal),
    )
    const value: unknown = JSON.parse(text)
    if (status === 200) return value
    const { detail = `status ${status}`, outcome } = (value ?? {}) as Partial<ProblemDocument>
    // What was asked is refused: the answer says so.
    if (outcome !== undefined) return outcome
    const isOfSite = status === UNAVAILABLE && path.startsWith(OF_SITE)
    if (status === NOT_FOUND || status === REFUSED || isOfSite)
      throw new ControlError(detail, { isRefused: true })
    throw new ControlError(`lvsd answered: ${detail}`)
  } catch (cause) {
    throw cause instanceof ControlError ? cause : explained(socket, cause as NodeJS.ErrnoException)
  }
}

/** Milliseconds for which a request is tried again that lvsd has not taken, because very many ask at the same time. */
const BUSY_PATIENCE = 10_000
/** Limits of the pause before the next attempt, in milliseconds; it doubles each time. */
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [50, 1600]
/** The queue of the socket is full, or lvsd has closed the connection before it has read the request. */
const BUSY: ReadonlySet<string> = new Set(['EAGAIN', 'EPIPE', 'ECONNRESET'])

/** Repeats an exchange that fails because lvsd is busy. A request that was handled twice does no harm. */
async function exchangePatiently<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + BUSY_PATIENCE
  for (let longest = SHORTEST_PAUSE; ; longest = Math.min(longest * 2, LONGEST_PAUSE))
    try {
      return await attempt()
    } catch (error) {
      const isBusy = BUSY.has((error as NodeJS.ErrnoException).code ?? '')
      if (!isBusy || signal.aborted || performance.now() > until) throw error
      await pause(longest * (0.5 + Math.random() / 2), signal)
    }
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sudoUser = process.env.SUDO_USER
    const headers = {
      host: 'lvsd',
      connection: 'close',
      'content-type': 'application/json',
      ...(sudoUser && { [SUDO_USER]: sudoUser.replaceAll(/[^\x20-\x7e]/g, '?') }),
    }
    // For TLS Node.js looks whether the host is an address, by regular expressions that it takes milliseconds to compile.
    const noTls = { servername: '' }
    const options = { socketPath, method, path, headers, agent: false, signal, ...noTls } as const
    const outgoing = request(options, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    outgoing.on('error', reject).end(body === null ? undefined : JSON.stringify(body))
  })
}

/** Returns the error of a request that failed in this way. */
export function explained(socket: string, cause: NodeJS.ErrnoException): ControlError {
  const code = cause.code ?? ''
  if (code === 'EACCES' || code === 'EPERM')
    return new ControlError(
      `you may not open ${socket}: run this as root (sudo), or as a member of its group (settings: socket-group)`,
      {
        isDenied: true,
        cause,
      },
    )
  return new ControlError(sentence(socket, code, cause), { cause })
}

function sentence(socket: string, code: string, cause: Error): string {
  if (code === 'ENOENT')
    return `lvsd does not run here: ${socket} does not exist. Start it (systemctl start lvsd), or give the path of its socket with --socket`
  if (statSync(socket, { throwIfNoEntry: false })?.isSocket() === false)
    return `${socket} is not a socket: give the path of lvsd's socket with --socket`
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK')
    return `nobody answers on ${socket}: lvsd has ended without removing it. Start it again (systemctl start lvsd)`
  if (code === 'ABORT_ERR' || cause.name === 'TimeoutError')
    return `lvsd does not answer on ${socket} in time: it is stopped or very busy; look at its log`
  if (cause instanceof SyntaxError) return `what answers on ${socket} is not lvsd`
  return `lvsd does not answer on ${socket}: ${cause.message}`
}
