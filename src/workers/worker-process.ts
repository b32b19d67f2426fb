/**
 * Starts a process in which checks run. A thread would share with lvsd what nobody can take back from it: an assertion in the C++ of
 * Node's HTTP/2, TLS or compression, to which servers bring it, ends all threads; so do the four threads that read files for the
 * whole process, memory that no heap counts, and descriptors; and no thread can be ended in the middle of a system call or of
 * one long step of V8. A process can, at once.
 */
import { readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { close, openMemoryFile } from '../system/libc.js'
import { endWorkerProcess, startWorkerProcess } from '../system/processes.js'
import { DESCRIPTORS, FrameReader, frameOf, Garbled } from './frames.js'
import { ownMegabytesOf } from './process-facts.js'
import { SharedState } from './shared.js'

/** Megabytes of the part of V8's heap where objects are born. */
const YOUNG = 16

/** Bytes that it may send at once, and in each millisecond in the long run. */
const BURST = 2 << 20
const RATE = 1024
/** Bytes that are read in one go, and how often at once. */
const CHUNK = 1 << 16
const CHUNKS = 2

export interface WorkerProcess {
  /** 0 where it could not be started. */
  readonly pid: number
  /** In a file in memory that the process has open too. */
  readonly shared: SharedState
  /** Megabytes of memory that are its own, not those of files that it has mapped. */
  readonly megabytes: number
  /** Resolves when the kernel has ended it. */
  readonly gone: Promise<void>
  /** `isJson`: see `frameOf`. */
  send(value: unknown, isJson?: boolean): void
  /** Hears what has come and was not heard yet. */
  drain(): void
  /** Ends it, with all that it has started. */
  end(): void
}

export interface ProcessListener {
  message(value: unknown): void
  /** What it sends cannot be read. Nothing is heard of it any more. */
  garbled(): void
  /** `how` ends a sentence that begins with "it ended:". */
  ended(how: string, signal: NodeJS.Signals | null): void
}

export interface ProcessOptions {
  /** The file's URL with the ending that it has beside its importer, `.js` or `.ts`. */
  readonly entry: URL
  /** Bytes of one value that it may send. */
  readonly most: number
  /** Megabytes of V8's heap. A process that wants more ends itself. */
  readonly heap: number
  /** What it says is heard when `drain` is called, not as it comes: each time that lvsd wakes up costs as much as a small check. */
  readonly isPolled: boolean
  /** In the sources: it may load TypeScript, as lvsd's own files of checks are. */
  readonly isOurs: boolean
}

export function openWorkerProcess(options: ProcessOptions, listener: ProcessListener): WorkerProcess {
  try {
    const sharedFile = openMemoryFile('lvsd-worker')
    try {
      return open(options, listener, sharedFile)
    } catch (error) {
      close(sharedFile)
      throw error
    }
  } catch (error) {
    // No descriptor is left, or no memory.
    setImmediate(() => listener.ended(cannot(error as Error), null))
    const nothing = () => {}
    const gone = Promise.resolve()
    return {
      pid: 0,
      shared: new SharedState(null),
      megabytes: 0,
      gone,
      send: nothing,
      drain: nothing,
      end: nothing,
    }
  }
}

const cannot = ({ message }: Error) => `it cannot be started: ${message}`

function open(options: ProcessOptions, listener: ProcessListener, sharedFile: number): WorkerProcess {
  const { most, heap } = options
  const shared = new SharedState(sharedFile)
  const limits = [`--max-old-space-size=${heap}`, `--max-semi-space-size=${YOUNG}`]
  const child = startWorkerProcess([...limits, ...programOf(options)], sharedFile)
  const orders = child.stdio?.[DESCRIPTORS.orders] as Writable | undefined
  const reports = child.stdio?.[DESCRIPTORS.reports] as Readable | undefined
  const streams = [orders, reports].filter(stream => stream !== undefined)
  const reader = new FrameReader(most)
  const flood = new Flood()
  let isHeard = true
  const hear = (chunk: Buffer) => {
    try {
      flood.count(chunk.length)
      for (const value of reader.read(chunk)) if (isHeard) listener.message(value)
    } catch (error) {
      if (!(error instanceof Garbled)) throw error
      if (isHeard) listener.garbled()
      isHeard = false
    }
  }
  const drain = () => {
    if (!reports) return
    // Somebody may write faster than this reads.
    for (let i = 0; i < CHUNKS && isHeard; i++) {
      const chunk = readNow(reports)
      if (!chunk) return
      hear(chunk)
    }
  }
  if (!options.isPolled) reports?.on('data', hear)
  else if (reports) stopReading(reports)
  // Its other end may be closed, by the end of the process too, which is told by itself.
  for (const stream of streams) stream.on('error', () => {})
  const gone = new Promise<void>(resolve => {
    const over = (how: string, signal: NodeJS.Signals | null) => {
      drain()
      for (const stream of streams) stream.destroy()
      shared.seal()
      close(sharedFile)
      resolve()
      if (isHeard) listener.ended(how, signal)
    }
    child.once('error', error => child.pid ?? over(cannot(error), null))
    child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`, signal))
  })
  return {
    pid: child.pid ?? 0,
    shared,
    get megabytes() {
      return ownMegabytesOf(child.pid ?? 0)
    },
    gone,
    send: (value, isJson) => orders && write(orders, frameOf(value, isJson)),
    drain,
    end: () => {
      isHeard = false
      endWorkerProcess(child)
      // It may stand in a system call that never ends, and nobody waits for it any more.
      child.unref()
      for (const stream of streams as unknown as { unref?: () => void }[]) stream.unref?.()
    },
  }
}

/** More than lvsd's own part of a process ever sends keeps lvsd busy with reading. */
class Flood {
  #room = BURST
  #at = performance.now()

  count(bytes: number): void {
    const now = performance.now()
    this.#room = Math.min(BURST, this.#room + (now - this.#at) * RATE) - bytes
    this.#at = now
    if (this.#room < 0) throw new Garbled('a flood')
  }
}

/** A write of a stream costs several times that of the kernel, which nearly always takes all of it. */
function write(orders: Writable, frame: Buffer): void {
  let sent = 0
  try {
    if (orders.writableLength === 0) sent = writeSync(descriptorOf(orders), frame)
  } catch {
    // There is no room at this moment, or nobody who reads.
  }
  if (sent < frame.length) orders.write(frame.subarray(sent))
}

/** A socket reads ahead from the moment it is there. */
function stopReading(reports: Readable): void {
  ;(reports as unknown as { readonly _handle?: { readStop(): void } | null })._handle?.readStop()
}

function descriptorOf(stream: Readable | Writable): number {
  return (stream as unknown as { readonly _handle?: { readonly fd: number } | null })._handle?.fd ?? -1
}

/** One for all, many times a second; what has come is copied out of it. */
const room = Buffer.allocUnsafe(CHUNK)

/** What there is to read at this moment. */
function readNow(reports: Readable): Buffer | null {
  try {
    const length = readSync(descriptorOf(reports), room)
    return length > 0 ? Buffer.from(room.subarray(0, length)) : null
  } catch {
    return null
  }
}

const bundles = new Map<string, string>()

/** In the sources one text in JavaScript for users' files: a loader of TypeScript would be one for them as well. */
function programOf({ entry, isOurs }: ProcessOptions): string[] {
  if (!entry.pathname.endsWith('.ts')) return [fileURLToPath(entry)]
  if (isOurs) return ['--import', createRequire(import.meta.url).resolve('tsx'), fileURLToPath(entry)]
  const text = bundles.get(entry.href) ?? bundled(entry)
  bundles.set(entry.href, text)
  return ['--eval', text]
}

function bundled(entry: URL): string {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as { buildSync: Build }
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    minifyWhitespace: true,
    write: false,
    platform: 'node',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(entry.href) },
  })
  return outputFiles[0]?.text ?? ''
}

type Build = (options: object) => { readonly outputFiles: readonly { readonly text: string }[] }
