/**
 * Bounds the answers on all sockets of a thread, before ioredis sees them: it keeps a text of 512 MB, an array of any
 * length and arrays of any depth. For the thread of the connections alone, because there every socket leads to Redis.
 */
import { Socket } from 'node:net'
import { ANSWER_REFUSED } from '../../core/redis-fault.js'
import { ReplyBounds } from '../../core/reply-bounds.js'

export interface SocketGuard {
  /** Reads nothing until `resume`: then Redis waits, not the memory of lvsd. */
  pause(): void
  resume(): void
}

/** Bytes of a chunk after which a socket waits for the next turn of the event loop. */
const BULK = 16_384

/** Guards each socket from its `connect` on. The library offers no place to do so for each of its connections. */
export function guardSockets(): SocketGuard {
  const sockets = new Set<Socket>()
  let isPaused = false
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    if (!sockets.has(this)) {
      guard(this, () => isPaused)
      sockets.add(this)
      this.once('close', () => sockets.delete(this))
      this.once('ready', () => isPaused && this.pause())
    }
    return Reflect.apply(connect, this, args)
  }
  return {
    pause() {
      isPaused = true
      for (const socket of sockets) socket.pause()
    },
    resume() {
      isPaused = false
      for (const socket of sockets) socket.resume()
    },
  }
}

/** With TLS these are the bytes that have been decrypted. */
function guard(socket: Socket, isPaused: () => boolean): void {
  const bounds = new ReplyBounds()
  const push = socket.push.bind(socket)
  let isResting = false
  // libuv reads up to 32 chunks, 2 MB, in a turn. With a flood of messages answers to commands would wait for all of them.
  const rest = () => {
    isResting = true
    socket.pause()
    setImmediate(() => {
      isResting = false
      if (!isPaused()) socket.resume()
    })
  }
  socket.push = (chunk, encoding) => {
    const found = chunk === null ? null : bounds.take(chunk)
    if (!found) {
      if (chunk !== null && chunk.length >= BULK && !isResting) rest()
      return push(chunk, encoding)
    }
    const { reason, detail } = found
    socket.destroy(Object.assign(new Error(detail), { code: ANSWER_REFUSED[reason] }))
    return false
  }
}
