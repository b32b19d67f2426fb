/** The API of the running daemon: the control socket, the TCP addresses, and the tokens for these. */
import type { Control } from '../api/control.js'
import { type ControlSocket, openControlSocket } from '../api/server.js'
import { TcpListeners } from '../api/tcp-listeners.js'
import { Tokens } from '../api/tokens.js'
import type { Config } from '../core/model.js'
import type { Log } from '../system/log.js'

export interface ApiServiceParts {
  readonly log: Log
  /** File of the tokens; null: they end with the process. */
  readonly tokensPath: string | null
  control(): Omit<Control, 'tokens'>
}

export class ApiService {
  readonly #parts: ApiServiceParts
  readonly #tokens: Tokens
  #socket: ControlSocket | null = null
  #listeners: TcpListeners | null = null

  constructor(parts: ApiServiceParts) {
    this.#parts = parts
    this.#tokens = new Tokens({ path: parts.tokensPath, log: parts.log })
  }

  /** Opens the control socket. Throws SocketInUse if a process serves it. */
  async open(path: string): Promise<void> {
    const { log, control } = this.#parts
    await this.#tokens.load()
    this.#socket = await openControlSocket(path, { ...control(), tokens: this.#control() }, log)
    this.#listeners = new TcpListeners({ app: this.#socket.app, tokens: this.#tokens, log })
  }

  /** Takes over a configuration. Resolves when its addresses are open, or have been tried. Never rejects. */
  async follow({ settings, api }: Config): Promise<void> {
    // A configuration that an earlier version kept does not have the key.
    this.#socket?.setGroup(settings.socketGroup ?? null)
    await this.#listeners?.follow(api ?? null)
  }

  async close(patience: number): Promise<void> {
    await this.#listeners?.close()
    await this.#socket?.close()
    await this.#tokens.close(patience)
  }

  #control(): Control['tokens'] {
    const { log } = this.#parts
    return {
      list: () =>
        this.#tokens.all.map(({ name, role, who, since, until }) => ({
          ...{ name, role, who },
          since: new Date(since).toISOString(),
          until: until === null ? null : new Date(until).toISOString(),
        })),
      add: async ({ name, role, until }, who) => {
        const added = await this.#tokens.add({ name, role, who, until })
        if (!added) return null
        log.info('token.added', { token: name, role, who }, `${who} has made the token ${name} (${role})`)
        return { token: added.text, isKept: added.isKept, urls: [...(this.#listeners?.urls ?? [])] }
      },
      revoke: async (name, who) => {
        const revoked = await this.#tokens.revoke(name)
        if (!revoked) return null
        this.#listeners?.cut(name)
        log.info('token.revoked', { token: name, who }, `${who} has revoked the token ${name}`)
        return revoked
      },
    }
  }
}
