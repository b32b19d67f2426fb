/**
 * The worker that loads one file of a user's folder and answers one errand on it. Its thread yields to all others, and
 * what the file prints is counted and dropped.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { refuseWhatAllBear } from '../workers/refusals.js'
import type { Errand, Reply } from './errand.js'
import { codeOf, importCheck, judgeOptions, messageOf, NotLoaded, recordKind } from './read-kind.js'

const { port, ...errand } = workerData as { port?: MessagePort } & Errand
const { module, task } = errand
// What the file finds here is not the way to the core, nor is it the usual one.
delete (workerData as { port?: MessagePort }).port
parentPort?.close()
const tell = port?.postMessage.bind(port) as (reply: Reply) => void

/** The least urgent of the usual levels: a file that loops while it is loaded takes little from the core. */
const NICE = 10

let printed = 0
let beginning = ''

function yieldToOthers(thread: number): void {
  try {
    // Linux counts the priority by thread.
    setPriority(thread, NICE)
  } catch {
    // Without it the file is loaded all the same.
  }
}

function threadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  } catch {
    return 0
  }
}

function muffle(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      printed += chunk.length
      if (beginning.length < 100) beginning += String(chunk).slice(0, 100)
      const callback = rest.find(each => typeof each === 'function') as (() => void) | undefined
      if (callback) queueMicrotask(callback)
      return true
    }
}

async function work(): Promise<void> {
  const check = await importCheck(module)
  if (task.kind === 'describe') {
    const record = recordKind(check, task.words)
    tell({ kind: 'record', record, printed, beginning })
  } else
    for (const [i, options] of task.options.entries()) {
      tell({ kind: 'verdict', index: i, ...judgeOptions(check, options) })
    }
}

const thread = threadNumber()
if (thread > 0) yieldToOthers(thread)
muffle()
refuseWhatAllBear()
// A file that waits for ever waits; it does not end the thread because nothing else is to be done.
setInterval(() => {}, 60_000)
tell({ kind: 'ready', thread })
work().catch(error => {
  const what = error instanceof NotLoaded ? 'it does not load: ' : ''
  tell({ kind: 'failure', message: `${what}${messageOf(error)}`, code: codeOf(error) })
})
