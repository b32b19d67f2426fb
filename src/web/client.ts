/** Requests to the API of the director that serves this page. */
import type { EventsAnswer, OverviewDocument, ServiceListing, WhyReal } from './api-types.js'

/** An answer that is no success, with the texts of its problem document (RFC 9457). */
export class RequestFailed extends Error {
  readonly status: number
  readonly problems: readonly ProblemLine[]
  /** The change is possible on this director alone. */
  readonly mayBeLocal: boolean

  constructor(status: number, message: string, problems: readonly ProblemLine[], mayBeLocal = false) {
    super(message)
    this.status = status
    this.problems = problems
    this.mayBeLocal = mayBeLocal
  }
}

export interface ProblemLine {
  readonly path?: string
  readonly line?: number
  readonly column?: number
  readonly message: string
  readonly severity?: string
}

export interface Target {
  readonly service: string
  readonly real: string | null
}

const STORED = 'lvsd token'

/** Milliseconds after which a request counts as failed. */
const PATIENCE = 15_000

export class Client {
  #token = sessionStorage.getItem(STORED)

  /** Null forgets it. It is kept for this tab only. */
  set token(token: string | null) {
    this.#token = token
    if (token === null) sessionStorage.removeItem(STORED)
    else sessionStorage.setItem(STORED, token)
  }

  get hasToken(): boolean {
    return this.#token !== null
  }

  overview(): Promise<OverviewDocument> {
    return this.#json('v1/overview')
  }

  /** All real servers, or what is new since a version. */
  service(name: string, after: string | null = null): Promise<ServiceListing> {
    const query = after === null ? '' : `?${new URLSearchParams({ after })}`
    return this.#json(`v1/services/${encodeURIComponent(name)}/reals${query}`)
  }

  why({ service, real }: Target): Promise<WhyReal> {
    return this.#json(`v1/why?${new URLSearchParams({ service, ...(real === null ? {} : { real }) })}`)
  }

  events(query: Readonly<Record<string, string>>): Promise<EventsAnswer> {
    return this.#json(`v1/events?${new URLSearchParams(query)}`)
  }

  /** Opens the stream of events after this id. */
  async stream(lastId: string | null, signal: AbortSignal): Promise<Response> {
    const headers = { accept: 'text/event-stream', ...(lastId === null ? {} : { 'last-event-id': lastId }) }
    return this.#answer('v1/events', { headers, signal })
  }

  get<T>(path: string): Promise<T> {
    return this.#json(path)
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async #json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.#answer(path, { signal: AbortSignal.timeout(PATIENCE), ...init })
    return (await response.json()) as T
  }

  async #answer(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.#token !== null) headers.set('authorization', `Bearer ${this.#token}`)
    const response = await fetch(path, { ...init, headers, cache: 'no-store', credentials: 'omit' })
    if (response.ok) return response
    throw await failureOf(response)
  }
}

async function failureOf(response: Response): Promise<RequestFailed> {
  const { status, statusText } = response
  const problem = (await response.json().catch(() => ({}))) as {
    detail?: string
    title?: string
    problems?: readonly ProblemLine[]
    outcome?: { mayBeLocal?: boolean }
  }
  const message = problem.detail ?? problem.title ?? `the director answers ${status} ${statusText}`
  return new RequestFailed(status, message, problem.problems ?? [], problem.outcome?.mayBeLocal)
}
