/**
 * The thread of the connections to Redis. What Redis sends is parsed here, never where health is judged and the table is
 * written. Towards the main thread everything is bounded: answers by what it has not taken yet, messages by batches.
 */
import { parentPort } from 'node:worker_threads'
import { innermost } from '../../core/redis-fault.js'
import type { RedisSettings } from '../../core/redis-settings.js'
import { type Connection, loadLibrary, openConnection } from './client.js'
import { MessageQueue } from './message-queue.js'
import { guardSockets } from './socket-guard.js'
import { type Report, type Request, toldOf } from './thread-protocol.js'
import { tellWarnings } from './thread-warnings.js'

/** Characters of answers that the main thread has not taken yet; above this, nothing is read from Redis. */
const MOST_UNTAKEN = 16 << 20
/** Milliseconds between two batches of messages, so that a flood leaves the main thread its time. */
const BATCH_EVERY = 20

interface Held {
  readonly channels: Set<string>
  connection: Connection | null
  isClosed: boolean
}

const guard = guardSockets()
const links = new Map<number, Held>()
const queue = new MessageQueue()
/** Of all connections that this thread has opened. */
const secrets = new Set<string>()
let untaken = 0
/** A batch is on its way, or the pause after it is not over. */
let isBusy = false
let nextBatch = 0

function tell(report: Report): void {
  parentPort?.postMessage(report)
}

function told(error: unknown) {
  return toldOf(innermost(error), [...secrets])
}

async function open(link: number, settings: RedisSettings, attempt: number): Promise<void> {
  for (const each of [settings.password, settings.sentinels?.password]) if (each) secrets.add(each)
  const held: Held = { channels: new Set(), connection: null, isClosed: false }
  links.set(link, held)
  const end = (error: unknown) => {
    if (held.isClosed) return
    close(link)
    tell({ kind: 'ended', link, error: told(error) })
  }
  try {
    held.connection = await openConnection({
      settings,
      attempt,
      onEnd: end,
      onMessage(channel, text) {
        if (held.isClosed || !held.channels.has(channel)) return
        queue.put({ link, channel, text })
        sendMessages()
      },
    })
    if (held.isClosed) held.connection.close()
    else tell({ kind: 'opened', link })
  } catch (error) {
    end(error)
  }
}

function close(link: number): void {
  const held = links.get(link)
  if (!held) return
  links.delete(link)
  held.isClosed = true
  held.connection?.close()
  queue.drop(link)
}

async function send({ link, id, command, args }: Request & { readonly kind: 'send' }): Promise<void> {
  const held = links.get(link)
  if (!held?.connection) return
  if (command === 'SUBSCRIBE') for (const channel of args) held.channels.add(String(channel))
  if (command === 'UNSUBSCRIBE') for (const channel of args) held.channels.delete(String(channel))
  try {
    const answer = await held.connection.send(command, args)
    // Nobody waits for an answer on a connection that is closed.
    if (held.isClosed) return
    const size = sizeOf(answer)
    untaken += size
    if (untaken > MOST_UNTAKEN) guard.pause()
    tell({ kind: 'answer', id, answer, size })
  } catch (error) {
    if (!held.isClosed) tell({ kind: 'error', id, error: told(error) })
  }
}

function taken(size: number): void {
  const wasFull = untaken > MOST_UNTAKEN
  untaken -= size
  if (wasFull && untaken <= MOST_UNTAKEN) guard.resume()
}

function sendMessages(): void {
  if (isBusy || queue.isEmpty) return
  isBusy = true
  nextBatch = performance.now() + BATCH_EVERY
  tell({ kind: 'messages', ...queue.take() })
}

function heard(): void {
  setTimeout(
    () => {
      isBusy = false
      sendMessages()
    },
    Math.max(0, nextBatch - performance.now()),
  )
}

/** Characters of an answer, with some for each element. */
function sizeOf(answer: unknown): number {
  if (!Array.isArray(answer)) return 8 + (typeof answer === 'string' ? answer.length : 0)
  let size = 8
  for (const each of answer) size += sizeOf(each)
  return size
}

parentPort?.on('message', (request: Request) => {
  if (request.kind === 'open') void open(request.link, request.settings, request.attempt)
  else if (request.kind === 'close') close(request.link)
  else if (request.kind === 'send') void send(request)
  else if (request.kind === 'taken') taken(request.size)
  else if (request.kind === 'heard') heard()
  else tell({ kind: 'alive' })
})
tellWarnings({
  outputs: [process.stdout, process.stderr],
  secrets,
  tell: text => tell({ kind: 'warning', text }),
})
// What the library asks by itself, such as INFO of a node, must not end the thread when it fails.
process.on('unhandledRejection', () => {})
await loadLibrary()
tell({ kind: 'ready' })
