/** One errand in a process of its own: what a user's file does to it ends as a sentence, after a stated time at most. */
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
  /** The file is loaded from now on. */
  | { readonly kind: 'ready' }
  /** `printed`: how much the file printed while it was loaded; `beginning`: the first of it. */
  | {
      readonly kind: 'record'
      readonly record: KindRecord
      readonly printed: number
      readonly beginning: string
    }
  | ({ readonly kind: 'verdict'; readonly index: number } & Verdict)
  | { readonly kind: 'failure'; readonly message: string; readonly code: string | null }

/** Why an errand came to nothing. */
export interface Failure {
  /** What the file did, for a sentence after its name and a colon. */
  readonly message: string
  readonly code: string | null
}

export interface Outcome {
  /** What the process said, in order. */
  readonly replies: readonly Reply[]
  /** Null where all went well. */
  readonly failure: Failure | null
}

export interface Terms {
  /** Replies beside `ready` with which it is over. */
  readonly replies: number
  /** Milliseconds that the file is given. */
  readonly patience: number
  /** What is said of a file that takes longer. */
  readonly tooLate: string
}

const ENTRY = besideFile(import.meta.url, 'worker-entry')
/** Milliseconds for a process to begin on a busy machine; nothing of the user's runs yet. */
const BEGINNING = 30_000
/** Megabytes of memory of its own that the process may hold, and milliseconds between two looks at that. */
const MEMORY = 96
const LOOK_EVERY = 20
/** Megabytes of V8's heap in it. */
const HEAP = 160
/** Bytes of one reply. */
const MOST = 8 << 20

const GREW = `it needs more than ${MEMORY} MB of memory`

/** Never rejects. */
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
        garbled: () => fail('it sends what cannot be read'),
        // So V8 ends it where its heap is full.
        ended: (how, signal) => fail(signal === 'SIGABRT' ? GREW : `it ends its process (${how})`),
      },
    )
    let alarm = setTimeout(() => fail('its process does not begin'), BEGINNING)
    const look = setInterval(() => worker.megabytes > MEMORY && fail(GREW), LOOK_EVERY)
    worker.send(errand)
  })
}
