/**
 * What the page knows of the director, kept current: the stream says that something has changed, and the documents that
 * are on the screen are fetched again. Counters change without events, so they are fetched each second as well.
 */
import type { EventRecord, OverviewDocument, ServiceListing } from './api-types.js'

import type { Client } from './client.js'
import { RequestFailed } from './client.js'
import { follow } from './event-stream.js'
import { mergedListing } from './merge-listing.js'
import { Store } from './store.js'

/** Milliseconds between two fetches without news, and the least between two with news. */
const EVERY = 1000
const LEAST = 200
/** Number of events that the page keeps, and of values of a plot: five minutes. */
const KEPT_EVENTS = 500
const KEPT_VALUES = 300

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Wall clock: since when nothing was heard, and the next attempt. */
  | { readonly kind: 'lost'; readonly since: number; readonly retryAt: number; readonly reason: string }
  /** The director asks for a token, or refuses the one that it got. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Connections per second over time. */
export interface Series {
  readonly times: readonly number[]
  readonly values: readonly number[]
}

export class Live {
  readonly connection = new Store<Connection>({ kind: 'connecting' })
  readonly overview = new Store<OverviewDocument | null>(null)
  readonly service = new Store<ServiceListing | null>(null)
  /** Of the service on the screen: why there is no document. */
  readonly serviceTrouble = new Store<string | null>(null)
  /** The newest first. */
  readonly events = new Store<readonly EventRecord[]>([])
  /** By the name of the service, `''` for all. */
  readonly series = new Store<ReadonlyMap<string, Series>>(new Map())
  readonly #client: Client
  #serviceName: string | null = null
  #stream: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #isFetching = false
  #isStale = false
  #fetchedAt = 0
  #heardAt = Date.now()

  constructor(client: Client) {
    this.#client = client
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.refresh()
    })
  }

  /** Begins, or begins again with another token. */
  start(): void {
    this.#stream?.abort()
    const stream = new AbortController()
    this.#stream = stream
    void follow(
      (lastId, signal) =>
        this.#client.stream(lastId, signal).catch(error => this.#refusedStream(error, stream)),
      {
        opened: () => {
          this.connection.value = { kind: 'live' }
          this.refresh()
        },
        event: ({ name, data }) => {
          // The director no longer has the events after the last one that was read: all else is fetched again.
          if (name === 'gap') this.refresh()
          else this.#take(JSON.parse(data) as EventRecord)
        },
        lost: (reason, retryAt) => this.#lose(reason, retryAt),
      },
      stream.signal,
    )
    this.refresh()
  }

  /** The service on the screen, or null. */
  show(name: string | null): void {
    if (name === this.#serviceName) return
    this.#serviceName = name
    this.service.value = null
    this.serviceTrouble.value = null
    this.refresh()
  }

  /** Fetches soon what is on the screen. */
  refresh(): void {
    this.#isStale = true
    this.#schedule(Math.max(0, this.#fetchedAt + LEAST - Date.now()))
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#fetch(), ms)
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return
    this.#isFetching = true
    this.#isStale = false
    try {
      if (!document.hidden) await this.#fetchDocuments()
      if (this.connection.value.kind === 'refused') this.start()
      this.#heardAt = Date.now()
    } catch (error) {
      if (isRefusal(error)) this.connection.value = { kind: 'refused', reason: error.message }
      else if (this.connection.value.kind === 'live') this.#lose((error as Error).message, Date.now() + EVERY)
    } finally {
      this.#fetchedAt = Date.now()
      this.#isFetching = false
      if (this.connection.value.kind !== 'refused') this.#schedule(this.#isStale ? LEAST : EVERY)
    }
  }

  async #fetchDocuments(): Promise<void> {
    const name = this.#serviceName
    const [overview, service] = await Promise.all([
      this.#client.overview(),
      name === null ? null : this.#service(name).catch(error => this.#noService(error)),
    ])
    this.#plot(overview)
    this.overview.value = overview
    if (name !== this.#serviceName || service === undefined) return
    this.service.value = service
    if (service !== null) this.serviceTrouble.value = null
  }

  async #service(name: string): Promise<ServiceListing> {
    const known = this.service.value?.name === name ? this.service.value : null
    return mergedListing(known, await this.#client.service(name, known?.version))
  }

  #noService(error: unknown): undefined {
    if (!(error instanceof RequestFailed) || error.status !== 404) throw error
    this.service.value = null
    this.serviceTrouble.value = error.message
  }

  #refusedStream(error: unknown, stream: AbortController): never {
    if (isRefusal(error)) {
      stream.abort()
      this.connection.value = { kind: 'refused', reason: error.message }
    }
    throw error
  }

  #lose(reason: string, retryAt: number): void {
    const { value } = this.connection
    if (value.kind === 'refused') return
    const since = value.kind === 'lost' ? value.since : this.#heardAt
    this.connection.value = { kind: 'lost', since, retryAt, reason }
  }

  #take(event: EventRecord): void {
    this.#heardAt = Date.now()
    const { value } = this.events
    if (value.some(({ id }) => id === event.id)) return
    this.events.value = [event, ...value].slice(0, KEPT_EVENTS)
    this.refresh()
  }

  #plot({ now, services }: OverviewDocument): void {
    const time = Date.parse(now) / 1000
    const before = this.series.value
    const rates = services.map(({ name, counters }) => [name, counters?.connectionRate ?? 0] as const)
    const all = rates.reduce((sum, [, rate]) => sum + rate, 0)
    this.series.value = new Map(
      [['', all] as const, ...rates].map(([name, rate]) => {
        const { times, values } = before.get(name) ?? { times: [], values: [] }
        const isOlder = (times.at(-1) ?? 0) >= time
        return [
          name,
          isOlder
            ? { times, values }
            : {
                times: [...times, time].slice(-KEPT_VALUES),
                values: [...values, rate].slice(-KEPT_VALUES),
              },
        ]
      }),
    )
  }
}

function isRefusal(error: unknown): error is RequestFailed {
  return error instanceof RequestFailed && (error.status === 401 || error.status === 403)
}
