/** The control socket: HTTP and JSON over a Unix socket that only its owner may open. */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { ReloadOutcome, StatusDocument } from '../status.js'

export interface Control {
  status(): Promise<StatusDocument>
  /** `isForced`: also when it removes more than the settings allow. */
  reload(isForced: boolean): Promise<ReloadOutcome>
}

type Handler = (control: Control, body: unknown) => Promise<unknown>

/** Everything the socket answers, by method and path. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /status': control => control.status(),
  'POST /reload': (control, body) => control.reload((body as { force?: unknown })?.force === true),
}

const BODY_LIMIT = 64 * 1024
/** Connections at once; each costs a descriptor that checks may need. */
const MOST_CONNECTIONS = 64
/** For a client to say what it wants, milliseconds: one that stops in the middle holds its place no longer. */
const PATIENCE = 10_000

/** Why a request cannot be answered, and the status that says so. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The place of the socket cannot be used: a sentence that says why, and what to do. */
export class SocketUnusable extends Error {}

/** Another lvsd serves this socket. */
export class SocketInUse extends SocketUnusable {}

/** Bytes of sun_path in <sys/un.h>, without the last. A longer path would be cut off, without a word. */
const LONGEST_PATH = 107

/** Opens the socket. A left-over of a process that is gone is replaced; a living one is an error. */
export async function openControlSocket(path: string, control: Control): Promise<{ close(): Promise<void> }> {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new SocketUnusable(
      `the path of a control socket has at most ${LONGEST_PATH} bytes; this one is too long: ${path}`,
    )
  if (await isServed(path))
    throw new SocketInUse(`another lvsd serves ${path}; stop it, or give this one its own --socket`)
  makeRoom(path)
  const server = createServer({ requestTimeout: PATIENCE, headersTimeout: PATIENCE }, (request, response) => {
    void answer(control, request, response)
  })
  server.maxConnections = MOST_CONNECTIONS
  await listen(server, path)
  // A connection that cannot be accepted, for want of descriptors, is the client's loss and no more.
  server.on('error', () => {})
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Created closed to others from its first moment: the mask is set around the bind. */
async function listen(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o600)
}

function isServed(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => resolve(false)).once('connect', () => socket.destroy())
  })
}

/** Removes a socket that nobody serves, and nothing else. */
function makeRoom(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found && !found.isSocket() && found.size > 0) throw new Error('what is there is no socket')
    if (found) unlinkSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw error
    throw new SocketUnusable(
      `no control socket can be made at ${path} (${message}); name another place with --socket`,
    )
  }
}

async function answer(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, text } = await outcomeOf(control, request)
  response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  // A client that does not read its answer is waited for no longer than one that does not finish its question.
  response.setTimeout(PATIENCE, () => response.destroy())
}

/** Never rejects. */
async function outcomeOf(
  control: Control,
  request: IncomingMessage,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const handler = ROUTES[`${request.method} ${request.url?.split('?')[0]}`]
    const routes = Object.keys(ROUTES).join(', ')
    if (!handler) throw new Refusal(404, `no ${request.method} ${request.url} here; there is ${routes}`)
    return { status: 200, text: JSON.stringify(await handler(control, await readBody(request))) }
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 500
    return { status, text: JSON.stringify({ error: (error as Error).message }) }
  }
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
    throw new Refusal(400, 'a request is JSON, and this is none')
  }
}
