/**
 * A read costs much more than its bytes. Who sends many small pieces is read more rarely: the kernel, or the stream,
 * gathers meanwhile what comes, up to its buffer, and nothing is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes of a piece that is not small, and small pieces that are read at once. */
const SMALL = 1024
const FREE = 64
/** Milliseconds between reads after that. */
export const REST = 5

/** Counts the small pieces of one connection. */
export class Pace {
  #small = 0

  /** True where reading goes on after a rest only. */
  mustRest(length: number): boolean {
    return length < SMALL && ++this.#small > FREE
  }
}

/** The stream's pieces; many small ones are gathered. */
export async function* gathered(stream: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const pace = new Pace()
  for await (const piece of stream) {
    yield piece
    if (pace.mustRest(piece.length)) await sleep(REST)
  }
}
