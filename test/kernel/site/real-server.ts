/** A small web server on a separate machine. Tests can kill and revive it, and set its behaviour. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { onCleanup } from '../../support/after-each.js'
import { within } from './namespaces.js'

export type Behaviour =
  /** Answers with status 200 and its name. */
  | 'ok'
  /** Answers all requests with status 500. */
  | 'error'
  /** Accepts connections and sends nothing. */
  | 'silent'
  /** Answers with status 200 after 300 ms. */
  | 'slow'

export interface RealServer {
  readonly namespace: string
  readonly isUp: boolean
  /** Number of requests so far. */
  readonly requests: number
  behave(behaviour: Behaviour): void
  /** Sets the behaviour for the next request only. */
  failOnce(behaviour: 'error' | 'silent'): void
  /** Completes the running downloads. */
  finishDownloads(): void
  /** Simulates the end of the process: closes the listener and resets open connections. */
  kill(): void
  revive(): void
}

/** Path of a download: numbered lines, one every 20 ms, until `finishDownloads`. */
export const DOWNLOAD = '/download'

/** Starts a server on all addresses of a namespace. It is closed after the test. */
export function startRealServer(namespace: string, port = 80): RealServer {
  const sockets = new Set<Socket>()
  let usual: Behaviour = 'ok'
  let once: Behaviour | null = null
  let server: Server | null = null
  let requests = 0
  const downloads = new Set<() => void>()

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests++
    const behaviour = once ?? usual
    once = null
    const send = (status: number) => response.writeHead(status, { connection: 'close' }).end(`${namespace}\n`)
    if (behaviour === 'silent') return
    if (behaviour === 'slow') setTimeout(() => send(200), 300)
    else if (request.url === DOWNLOAD) downloads.add(pour(response, namespace))
    else send(behaviour === 'error' ? 500 : 200)
  }

  const kill = () => {
    server?.close()
    server = null
    for (const socket of sockets) socket.resetAndDestroy()
  }

  const revive = () => {
    if (server) return
    server = createServer(answer)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    const listening = server
    within(namespace, () => listening.listen(port))
  }

  revive()
  onCleanup(kill)
  return {
    namespace,
    get isUp() {
      return server !== null
    },
    get requests() {
      return requests
    },
    behave(next) {
      usual = next
    },
    failOnce(next) {
      once = next
    },
    finishDownloads() {
      for (const finish of downloads) finish()
      downloads.clear()
    },
    kill,
    revive,
  }
}

/** Sends a download, whose first line is the name of the server. Returns a function that ends it. */
function pour(response: ServerResponse, name: string): () => void {
  response.writeHead(200, { connection: 'close' })
  response.write(`${name}\n`)
  let line = 0
  const timer = setInterval(() => response.write(`${line++}\n`), 20)
  response.on('close', () => clearInterval(timer))
  return () => {
    clearInterval(timer)
    response.end('end\n')
  }
}
