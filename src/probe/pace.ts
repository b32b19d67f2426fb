/**
 * Limits the cost of many small chunks. A read costs much more than its bytes, so a connection that sends many small
 * chunks is read less often. Meanwhile the kernel or the stream buffers the data, and nothing is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** A chunk of fewer bytes than SMALL is small. The first FREE small chunks are read without a pause. */
const SMALL = 1024
const FREE = 64
/** Pause between further reads, in milliseconds. */
export const REST = 5

/** Counts the small chunks of one connection. */
export class Pace {
  #small = 0

  /** Counts a chunk of `length` bytes. Returns true if the next read must wait `REST` milliseconds. */
  mustRest(length: number): boolean {
    return length < SMALL && ++this.#small > FREE
  }
}

/** Yields the chunks of the stream, with pauses after many small ones. */
export async function* gathered(stream: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const pace = new Pace()
  for await (const piece of stream) {
    yield piece
    if (pace.mustRest(piece.length)) await sleep(REST)
  }
}
