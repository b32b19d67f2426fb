/**
 * The API, loaded some time after the control socket is open, or by the first request. Its library and its routes take as long to
 * load as the rest of a director, which has to check servers first.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App, AppParts, Listener } from './app.js'

/** Milliseconds after the start. An upgrade that replaces the files of a running lvsd seldom follows its start by so little. */
const LOAD_AFTER = 1000

export class LateApp implements App {
  readonly #parts: Omit<AppParts, 'routes'>
  readonly #timer: NodeJS.Timeout
  #opening: Promise<App> | null = null
  #app: App | null = null
  #hasFailed = false

  constructor(parts: Omit<AppParts, 'routes'>) {
    this.#parts = parts
    // A request that comes meanwhile tells of a failure.
    this.#timer = setTimeout(() => void this.#open().catch(() => {}), LOAD_AFTER).unref()
  }

  handle(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    if (this.#app) this.#app.handle(listener, request, response)
    else void this.#handleLater(listener, request, response)
  }

  async inject(...request: Parameters<App['inject']>): ReturnType<App['inject']> {
    return (await this.#open()).inject(...request)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    const app = await this.#opening?.catch(() => null)
    await app?.close()
  }

  async #handleLater(listener: Listener, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const app = await this.#open().catch(() => null)
    if (app) app.handle(listener, request, response)
    else response.writeHead(500).end()
  }

  /** After a failure a later request loads again, which helps where a file was missing. A failure is logged once. */
  #open(): Promise<App> {
    this.#opening ??= this.#load().catch(error => {
      this.#opening = null
      this.#tell(error)
      throw error
    })
    return this.#opening
  }

  /** One after the other: in a lab, once, the library was not complete when both were loaded at the same time. */
  async #load(): Promise<App> {
    clearTimeout(this.#timer)
    const { openApp } = await import('./app.js')
    const { ROUTES } = await import('./routes/all.js')
    this.#app = await openApp({ ...this.#parts, routes: ROUTES })
    return this.#app
  }

  #tell(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const message = 'the API does not load: is the installation of lvsd complete?'
    this.#parts.log.error('api.failed', { method: '', path: '', err: error }, message)
  }
}
