/** Runs one task on a user's file in a separate process. Harm that the file does becomes a message, within a time limit. */
import { codeOf, messageOf } from '../check/import-check.js'
import { besideFile } from '../system/thread.js'
import { openWorkerProcess } from '../workers/worker-process.js'
import type { KindRecord, Verdict } from './read-kind.js'

export interface Errand {
  /** URL of the file. */
  readonly module: string
  readonly task:
    | { readonly kind: 'describe'; readonly words: readonly string[] }
    | { readonly kind: 'judge'; readonly options: readonly Readonly<Record<string, unknown>>[] }
}

export type Reply =
  /** The file is about to be loaded. */
  | { readonly kind: 'ready' }
  /** `printed` is the number of bytes that the file printed while loading, `beginning` the first of them. */
  | {
      readonly kind: 'record'
      readonly record: KindRecord
      readonly printed: number
      readonly beginning: string
    }
  | ({ readonly kind: 'verdict'; readonly index: number } & Verdict)
  | { readonly kind: 'failure'; readonly message: string; readonly code: string | null }

/** Why a task failed. */
export interface Failure {
  /** What the file did, to follow its name and a colon. */
  readonly message: string
  readonly code: string | null
}

export interface Outcome {
  /** The replies of the process, in order. */
  readonly replies: readonly Reply[]
  /** Null on success. */
  readonly failure: Failure | null
}

export interface Terms {
  /** Number of replies, not counting `ready`, that complete the task. */
  readonly replies: number
  /** Time limit of the file in milliseconds. */
  readonly patience: number
  /** Message for a file that exceeds the time limit. */
  readonly tooLate: string
}

const ENTRY = besideFile(import.meta.url, 'worker-entry')
/** Milliseconds that the process may take to start on a busy machine. No user code runs yet. */
const BEGINNING = 30_000
/** Megabytes of memory that the process may use, and milliseconds between two checks of it. */
const MEMORY = 96
const LOOK_EVERY = 20
/** Limit of V8's heap in megabytes. */
const HEAP = 160
/** Maximum size of a reply in bytes. */
const MOST = 8 << 20

const GREW = `it needs more than ${MEMORY} MB of memory`

/** Runs a task. Never rejects. */
export function runErrand(errand: Errand, { replies: expected, patience, tooLate }: Terms): Promise<Outcome> {
  return new Promise(resolve => {
    const replies: Reply[] = []
    let isOver = false
    let isReady = false
    const finish = (failure: Failure | null) => {
      if (isOver) return
      isOver = true
      clearTimeout(alarm)
      clearInterval(look)
      worker.end()
      resolve({ replies, failure })
    }
    const fail = (message: string, code: string | null = null) => finish({ message, code })
    const hear = (reply: Reply) => {
      if (isOver) return
      if (reply?.kind === 'ready' && !isReady) {
        isReady = true
        clearTimeout(alarm)
        alarm = setTimeout(() => fail(tooLate), patience)
        return
      }
      if (reply?.kind === 'ready') return
      if (reply?.kind === 'failure') return fail(messageOf(reply), codeOf(reply))
      replies.push(reply)
      if (replies.length >= expected) finish(null)
    }
    const worker = openWorkerProcess(
      { entry: ENTRY, most: MOST, heap: HEAP, isOurs: false, isPolled: false },
      {
        message: message => hear(message as Reply),
        garbled: () => fail('it sent invalid data to lvsd'),
        // V8 ends a process with SIGABRT when its heap is full.
        ended: (how, signal) => fail(signal === 'SIGABRT' ? GREW : `it ended its process (${how})`),
      },
    )
    let alarm = setTimeout(() => fail('its process did not start'), BEGINNING)
    const look = setInterval(() => worker.megabytes > MEMORY && fail(GREW), LOOK_EVERY)
    worker.send(errand)
  })
}
