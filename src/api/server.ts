/** Server of the control socket: HTTP and JSON over a Unix socket that its owner, and optionally a group, may open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { descriptorLimit } from '../system/descriptor-limit.js'
import { groupId } from '../system/groups.js'
import type { Log } from '../system/log.js'
import { Poller } from '../util/poller.js'
import type { App, Listener } from './app.js'
import { Connections } from './connections.js'
import type { Control } from './control.js'
import { SUDO_USER } from './headers.js'
import { LateApp } from './late-app.js'
import { operatorOf } from './operator.js'
import type { Caller } from './route.js'
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

export type { Control } from './control.js'
export { SocketInUse, SocketUnusable }

/** Maximum milliseconds for a client to send a request, and to read the answer. */
const PATIENCE = 10_000
/** Milliseconds between two checks for clients that exceed `PATIENCE`. */
const LOOK_FOR_SLOW = 1000
/** Milliseconds between two checks that the socket still exists at its path. */
const LOOK_AT_PLACE = 2000

export interface ControlSocket {
  /** The API. Further listeners, such as one on TCP, hand their requests to its `handle`, and close before this socket. */
  readonly app: App
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
  const socket = new OpenSocket(path, new LateApp({ control, log }), log)
  try {
    await socket.open()
  } catch (error) {
    await socket.app.close()
    throw error
  }
  return socket
}

const SILENT = { warn: () => {}, error: () => {} }

/** A server on a path. If the socket file is removed, the server is bound again. */
class OpenSocket implements ControlSocket, Listener {
  readonly app: App
  readonly #path: string
  readonly #log: Pick<Log, 'warn' | 'error'>
  readonly #connections = new Connections(descriptorLimit())
  readonly #looks: Poller
  #server: Server | null = null
  #held: Held = ''
  #told: Found = 'ours'
  #group: string | null = null
  /** The group that was logged last as not usable. */
  #toldGroup: string | null = null

  constructor(path: string, app: App, log: Pick<Log, 'warn' | 'error'>) {
    this.#path = path
    this.app = app
    this.#log = log
    this.#looks = new Poller('control socket', () => this.#look(), { log })
  }

  async open(): Promise<void> {
    await this.#bind()
    this.#looks.every(LOOK_AT_PLACE)
  }

  /** Who may open the socket may do everything. The kernel says who the peer is. */
  authenticate(request: IncomingMessage): Caller {
    return { role: 'local', who: () => operatorOf(request.socket, headerOf(request, SUDO_USER)) }
  }

  answering<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
    return this.#connections.answering(socket, work)
  }

  /** A client that does not read its answer has the same time limit as one that does not complete its request. */
  sending(response: ServerResponse): void {
    response.setTimeout(PATIENCE, () => response.destroy())
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
    await this.app.close()
  }

  async #bind(): Promise<void> {
    const server = createServer(
      { requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: LOOK_FOR_SLOW },
      (request, response) =>
        this.#connections.inTurn(request, response, () => this.app.handle(this, request, response)),
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
}

function ended(server: Server | null): Promise<void> {
  return new Promise(resolve => {
    if (!server) return resolve()
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
