/**
 * Starts a process in which checks run. A thread would not be isolated from lvsd: an assertion in the C++ code of
 * Node's HTTP/2, TLS or compression, which a server can trigger, ends the whole process; the four threads that read
 * files, memory outside the heaps, and descriptors are shared; and a thread cannot be ended during a system call or a
 * long operation of V8. A process can be ended at any time.
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

/** Megabytes of V8's semi-space for new objects. */
const YOUNG = 16

/** Bytes that a worker may send at once, and per millisecond in the long run. */
const BURST = 2 << 20
const RATE = 1024
/** Bytes per read, and maximum number of reads at a time. */
const CHUNK = 1 << 16
const CHUNKS = 2

export interface WorkerProcess {
  /** 0 if the process could not be started. */
  readonly pid: number
  /** State in a memory file that the process also has open. */
  readonly shared: SharedState
  /** Megabytes of memory in use, without mapped files. */
  readonly megabytes: number
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>
  /** Sends a value. `isJson`: see `frameOf`. */
  send(value: unknown, isJson?: boolean): void
  /** Handles all messages that have arrived. */
  drain(): void
  /** Ends the process and all processes that it has started. */
  end(): void
}

export interface ProcessListener {
  message(value: unknown): void
  /** The data that it sends is invalid. No further data is handled. */
  garbled(): void
  /** `how` completes a sentence that begins with "it ended:". */
  ended(how: string, signal: NodeJS.Signals | null): void
}

export interface ProcessOptions {
  /** The URL of the file, with the extension of its importer: `.js` or `.ts`. */
  readonly entry: URL
  /** Maximum size of a value that it may send, in bytes. */
  readonly most: number
  /** Limit of V8's heap in megabytes. A process that exceeds it ends itself. */
  readonly heap: number
  /** True: messages are handled only in `drain`, because each wake-up of lvsd costs as much as a small check. */
  readonly isPolled: boolean
  /** When lvsd runs from its sources: the process may load TypeScript, because lvsd's own checks are written in it. */
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
    // There are no descriptors or no memory left.
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
    // Limited, because the process may write faster than lvsd reads.
    for (let i = 0; i < CHUNKS && isHeard; i++) {
      const chunk = readNow(reports)
      if (!chunk) return
      hear(chunk)
    }
  }
  if (!options.isPolled) reports?.on('data', hear)
  else if (reports) stopReading(reports)
  // The other end may be closed, also by the end of the process, which is reported separately.
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
      // The process may be in a system call that never ends. lvsd does not wait for it.
      child.unref()
      for (const stream of streams as unknown as { unref?: () => void }[]) stream.unref?.()
    },
  }
}

/** Detects a flood: more data than lvsd's own part of a process ever sends, which would keep lvsd busy with reading. */
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

/** Writes directly to the descriptor, which is much faster than a stream and nearly always accepts all data. */
function write(orders: Writable, frame: Buffer): void {
  let sent = 0
  try {
    if (orders.writableLength === 0) sent = writeSync(descriptorOf(orders), frame)
  } catch {
    // The pipe is full, or has no reader.
  }
  if (sent < frame.length) orders.write(frame.subarray(sent))
}

/** Stops the socket from reading ahead, which it does as soon as it exists. */
function stopReading(reports: Readable): void {
  ;(reports as unknown as { readonly _handle?: { readStop(): void } | null })._handle?.readStop()
}

function descriptorOf(stream: Readable | Writable): number {
  return (stream as unknown as { readonly _handle?: { readonly fd: number } | null })._handle?.fd ?? -1
}

/** Shared read buffer; received data is copied out of it. */
const room = Buffer.allocUnsafe(CHUNK)

/** Returns the data that is available now, or null. */
function readNow(reports: Readable): Buffer | null {
  try {
    const length = readSync(descriptorOf(reports), room)
    return length > 0 ? Buffer.from(room.subarray(0, length)) : null
  } catch {
    return null
  }
}

const bundles = new Map<string, string>()

/**
 * Returns Node's arguments to run the entry. When lvsd runs from its sources, a worker for users' files gets one
 * bundled JavaScript text, because a TypeScript loader would also load users' files.
 */
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
