/**
 * Handles output that code in a worker prints. It is counted, its beginning is reported occasionally, and the rest is
 * dropped in the worker, so that it burdens neither the core nor lvsd's log.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Outbox } from './outbox.js'

/** Number of characters that are reported. */
const BEGINNING = 200
/** Minimum milliseconds between two reports. */
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
  for (const stream of [process.stdout, process.stderr]) {
    const write = (chunk: unknown, ...rest: unknown[]) => {
      swallow(chunk)
      const done = rest.at(-1)
      if (typeof done === 'function') process.nextTick(done)
      return true
    }
    Object.assign(stream, { write, _write: write, _writev: write })
  }
  bypassed(swallow)
}

function sizeOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}

type Write = (file: unknown, chunk: unknown, ...rest: unknown[]) => unknown

/** Functions of `fs` that write to a descriptor. Those named `…Sync` return the size, the others use a callback. */
const WRITERS = ['write', 'writev', 'writeFile', 'appendFile'] as const

/** Replaces functions with which loggers bypass the streams. */
function bypassed(swallow: (chunk: unknown) => void): void {
  const builtin = fs as unknown as Record<string, Write>
  for (const name of WRITERS.flatMap(each => [each, `${each}Sync`])) {
    const write = builtin[name] as Write
    builtin[name] = (file, chunk, ...rest) => {
      if (file !== 1 && file !== 2) return write(file, chunk, ...rest)
      for (const part of [chunk].flat()) swallow(part)
      const size = [chunk].flat().reduce((sum: number, part) => sum + sizeOf(part), 0)
      const done = rest.at(-1)
      if (typeof done === 'function') process.nextTick(done, null, size, chunk)
      return size
    }
  }
  syncBuiltinESMExports()
  const raw = process as unknown as { _rawDebug: (...words: unknown[]) => void }
  raw._rawDebug = (...words) => swallow(words.join(' '))
}
