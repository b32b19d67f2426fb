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

/** How `fs` writes to a descriptor; those that end in `Sync` return how much it was, the others call back. */
const WRITERS = ['write', 'writev', 'writeFile', 'appendFile'] as const

/** The ways around the streams that loggers take. */
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
