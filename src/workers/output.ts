/**
 * What code in a worker prints. It is counted, its beginning is told now and then, the rest is dropped where it is made:
 * neither the core nor lvsd's own log has to carry it.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Outbox } from './outbox.js'

/** Characters of it that are told. */
const BEGINNING = 200
/** Milliseconds between two reports. */
const EVERY = 10_000

export function boundOutput(outbox: Outbox, currentRun: () => number | null): void {
  let bytes = 0
  let beginning = ''
  let run: number | null = null
  let isDue = false
  const tell = () => {
    isDue = bytes > 0
    if (!isDue) return
    outbox.say({ say: 'output', bytes, beginning, run })
    bytes = 0
    beginning = ''
    setTimeout(tell, EVERY).unref()
  }
  const swallow = (chunk: unknown) => {
    if (bytes === 0) run = currentRun()
    bytes += sizeOf(chunk)
    if (beginning.length < BEGINNING)
      beginning += String(chunk)
        .slice(0, 4 * BEGINNING)
        .slice(0, BEGINNING - beginning.length)
    if (isDue) return
    isDue = true
    setTimeout(tell, 0).unref()
  }
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk: unknown, ...rest: unknown[]) => {
      swallow(chunk)
      const done = rest.at(-1)
      if (typeof done === 'function') process.nextTick(done)
      return true
    }
  bypassed(swallow)
}

function sizeOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}

type Write = (fd: number, chunk: unknown, ...rest: unknown[]) => unknown

/** The two ways around the streams that loggers take. */
function bypassed(swallow: (chunk: unknown) => void): void {
  const builtin = fs as unknown as { writeSync: Write }
  const writeSync = builtin.writeSync
  builtin.writeSync = (fd, chunk, ...rest) => {
    if (fd !== 1 && fd !== 2) return writeSync(fd, chunk, ...rest)
    swallow(chunk)
    return sizeOf(chunk)
  }
  syncBuiltinESMExports()
  const raw = process as unknown as { _rawDebug: (...words: unknown[]) => void }
  raw._rawDebug = (...words) => swallow(words.join(' '))
}
