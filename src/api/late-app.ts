/**
 * The API as an application that the first request loads: fastify and the types of all routes take a third of a director's start, and
 * many directors are never asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Log } from '../system/log.js'
import type { App, Listener } from './app.js'
import type { Control } from './control.js'

export interface LateAppParts {
  readonly control: Control
  readonly log: Pick<Log, 'error'>
  /** Loads the application; replaced in tests. */
  readonly load?: (parts: Pick<LateAppParts, 'control' | 'log'>) => Promise<App>
}

export class LateApp implements App {
  readonly #parts: LateAppParts
  #app: App | null = null
  #loading: Promise<App> | null = null

  constructor(parts: LateAppParts) {
    this.#parts = parts
  }

  handle(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    if (this.#app) this.#app.handle(listener, request, response)
    else void this.#handleLater(listener, request, response)
  }

  async inject(request: Parameters<App['inject']>[0]): ReturnType<App['inject']> {
    return (await this.#loaded()).inject(request)
  }

  async close(): Promise<void> {
    const app = await this.#loading?.catch(() => null)
    await app?.close()
  }

  async #handleLater(listener: Listener, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const app = await this.#loaded()
      // Who has gone meanwhile is not heard to go once more.
      if (!request.destroyed) app.handle(listener, request, response)
    } catch (error) {
      const { method = '', url = '' } = request
      this.#parts.log.error(
        'api.failed',
        { method, path: url.slice(0, LONGEST), err: error },
        'a request to the API failed because of a bug in lvsd',
      )
      response.writeHead(500, { connection: 'close' }).end()
    }
  }

  /** After a failure the next request tries again. */
  #loaded(): Promise<App> {
    const { load = loadApp } = this.#parts
    this.#loading ??= load(this.#parts).then(
      app => {
        this.#app = app
        return app
      },
      error => {
        this.#loading = null
        throw error
      },
    )
    return this.#loading
  }
}

/** Characters of an address in the log. */
const LONGEST = 200

/** In several turns, between which checks run. */
async function loadApp({ control, log }: Pick<LateAppParts, 'control' | 'log'>): Promise<App> {
  const { openApp } = await import('./app.js')
  await setImmediate()
  const { ROUTES } = await import('./routes/all.js')
  await setImmediate()
  return openApp({ routes: ROUTES, control, log })
}
