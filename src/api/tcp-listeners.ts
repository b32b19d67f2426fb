/** The TCP addresses of the API: opened and closed as the configuration says, tried again while they cannot be opened. */
import { open } from 'node:fs/promises'
import type { ApiSettings } from '../config/schema/model-keys.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import type { App } from './app.js'
import { FailedAttempts, RateLimit } from './attempts.js'
import { TcpListener } from './tcp-listener.js'
import { readTls, type TlsContent, type TlsPaths } from './tls-files.js'
import type { Tokens } from './tokens.js'

/**
 * Milliseconds between two attempts to open an address, for example one that VRRP brings, and between two looks for renewed
 * certificates.
 */
const TRY_EVERY = 5000
/** Milliseconds between two looks for tokens that have ended while something is sent for them. */
const LOOK_FOR_ENDS = 1000

export interface TcpListenersParts {
  readonly app: App
  readonly tokens: Tokens
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly clock?: Pick<Clock, 'alarm'>
  /** Milliseconds of a monotonic clock, by which attempts and requests are limited. */
  readonly now?: () => number
  /** Milliseconds; see `TcpListenerParts`. */
  readonly patience?: number
}

export class TcpListeners {
  readonly #parts: TcpListenersParts
  readonly #attempts: FailedAttempts
  readonly #rates: RateLimit
  readonly #strangers: RateLimit
  readonly #open = new Map<string, TcpListener>()
  /** It works while there are no addresses as well: a poller that is stopped never works again. */
  readonly #retries: Poller
  readonly #ends: Poller
  /** The reason of each address that was logged last as not usable. */
  readonly #told = new Map<string, string>()
  #settings: ApiSettings | null = null
  /** True while connections cannot be accepted. */
  #isFull = false
  /** Digests of the files of TLS: in use or refused, and as the last look found them. */
  #taken = ''
  #seen = ''
  #last: Promise<void> = Promise.resolve()

  constructor(parts: TcpListenersParts) {
    this.#parts = parts
    const { now = systemClock.now } = parts
    this.#attempts = new FailedAttempts(now)
    this.#rates = new RateLimit(now)
    this.#strangers = new RateLimit(now)
    this.#retries = new Poller('API over TCP', () => this.#inTurn(() => this.#again()), parts)
    this.#ends = new Poller('ends of tokens', () => this.#cutEnded(), parts)
  }

  /** The URLs at which the API and the page are served now. */
  get urls(): readonly string[] {
    return [...this.#open.keys()].map(address => this.#urlOf(address))
  }

  /** Takes over a configuration. Resolves when each address is open, or has been tried. Never rejects. */
  follow(settings: ApiSettings | null): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#settings
      this.#settings = settings
      const isOther = JSON.stringify(before?.tls ?? null) !== JSON.stringify(settings?.tls ?? null)
      for (const [address, listener] of [...this.#open])
        if (isOther || !settings?.listen.includes(address)) await this.#close(address, listener)
      for (const address of [...this.#told.keys()])
        if (!settings?.listen.includes(address)) this.#told.delete(address)
      for (const listener of this.#open.values()) listener.isMetricsOpen = settings?.metrics === 'open'
      if (settings?.tls) await this.#renewFrom(settings.tls)
      await this.#openMissing()
      if (!settings) return
      this.#retries.every(TRY_EVERY)
      this.#ends.every(LOOK_FOR_ENDS)
    })
  }

  /** Ends the requests of a token that was revoked. */
  cut(token: string): void {
    for (const listener of this.#open.values()) listener.cut(name => name === token)
  }

  async close(): Promise<void> {
    await this.#ends.stop()
    await this.#retries.stop()
    await this.#inTurn(async () => {
      this.#settings = null
      for (const [address, listener] of [...this.#open]) await this.#close(address, listener)
    })
  }

  /** A stream may last longer than its token. */
  #cutEnded(): void {
    if (this.#open.size === 0) return
    const valid = new Set(this.#parts.tokens.all.map(({ name }) => name))
    for (const listener of this.#open.values()) listener.cut(name => !valid.has(name))
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work)
    return this.#last
  }

  async #again(): Promise<void> {
    if (this.#open.size > 0) await this.#lookForDescriptors()
    await this.#openMissing()
    await this.#lookAtFiles()
  }

  async #openMissing(): Promise<void> {
    const { listen = [], tls = null, metrics } = this.#settings ?? {}
    for (const address of listen) {
      if (this.#open.has(address)) continue
      try {
        const content = tls && (await readTls(tls))
        const listener = new TcpListener(
          { ...this.#parts, attempts: this.#attempts, rates: this.#rates, strangers: this.#strangers },
          content,
        )
        if (this.#open.size === 0) this.#taken = content?.digest ?? ''
        listener.isMetricsOpen = metrics === 'open'
        await listener.open(address)
        this.#open.set(address, listener)
        this.#told.delete(address)
        this.#parts.log.info(
          'api.listening',
          { address },
          `the API and the page are served on ${this.#urlOf(address)}`,
        )
      } catch (error) {
        this.#report(address, (error as Error).message)
      }
    }
  }

  #urlOf(address: string): string {
    return `${this.#settings?.tls ? 'https' : 'http'}://${address}/`
  }

  /** Each reason is logged once. */
  #report(address: string, error: string): void {
    if (this.#told.get(address) === error) return
    this.#told.set(address, error)
    this.#parts.log.error(
      'api.not-listening',
      { address, error },
      `the API cannot be served on ${address}: ${error}; lvsd tries again every ${TRY_EVERY / 1000} s`,
    )
  }

  /**
   * Without a descriptor libuv closes each new connection at once, with one that it has in reserve, and reports nothing. If
   * another thread has taken this one, connections wait until there are descriptors, and `accept` is tried in each turn.
   */
  async #lookForDescriptors(): Promise<void> {
    const isFull = !(await hasDescriptor())
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    const fields = { addresses: [...this.#open.keys()] }
    if (isFull)
      this.#parts.log.warn(
        'api.no-descriptors',
        fields,
        'lvsd has no file descriptor left, so the API accepts no connections: raise LimitNOFILE= or lower the concurrency',
      )
    else this.#parts.log.info('api.accepts', fields, 'the API accepts connections again')
  }

  // -------------------------------------------------------------- renewed certificates

  /** Takes over files of TLS that another program has renewed: those that two looks find the same are complete. */
  async #lookAtFiles(): Promise<void> {
    const tls = this.#settings?.tls
    if (!tls || this.#open.size === 0) return
    // A file that is being replaced is missing for a moment. A reload says what is wrong with it.
    const content = await readTls(tls).catch(() => null)
    if (!content || content.digest === this.#taken) return
    if (content.digest === this.#seen) this.#renew(content)
    this.#seen = content.digest
  }

  async #renewFrom(tls: TlsPaths): Promise<void> {
    if (this.#open.size === 0) return
    try {
      const content = await readTls(tls)
      if (content.digest !== this.#taken) this.#renew(content)
    } catch (error) {
      for (const address of this.#open.keys()) this.#reportCertificate(address, (error as Error).message)
    }
  }

  #renew(content: TlsContent): void {
    this.#taken = content.digest
    for (const [address, listener] of this.#open)
      try {
        listener.renew(content)
        this.#told.delete(address)
        this.#parts.log.info(
          'api.certificate-renewed',
          { address },
          `the API on ${address} uses the renewed files of tls for new connections`,
        )
      } catch (error) {
        this.#reportCertificate(address, (error as Error).message)
      }
  }

  /** Each reason is logged once. */
  #reportCertificate(address: string, error: string): void {
    if (this.#told.get(address) === error) return
    this.#told.set(address, error)
    this.#parts.log.error(
      'api.certificate-refused',
      { address, error },
      `the API on ${address} keeps the certificate in use: the files of tls cannot be used: ${error}; lvsd reads them again when they change, and at a reload`,
    )
  }

  async #close(address: string, listener: TcpListener): Promise<void> {
    this.#open.delete(address)
    await listener.close()
  }
}

/** Opens a file: whether this process may have one more descriptor. */
async function hasDescriptor(): Promise<boolean> {
  try {
    await (await open('/dev/null')).close()
    return true
  } catch (error) {
    return !['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}
