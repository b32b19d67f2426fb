/** One errand in a worker of its own: what a user's file does to it ends as a sentence, after a stated time at most. */
import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { noteEnding } from '../lost-threads.js'
import { besideFile, openForeignThread } from '../workers/thread.js'
import { GREW, type Guarded, guardMemory } from './memory-guard.js'
import { codeOf, type KindRecord, messageOf, type Verdict } from './read-kind.js'

export interface Errand {
  /** URL of the file. */
  readonly module: string
  readonly task:
    | { readonly kind: 'describe'; readonly words: readonly string[] }
    | { readonly kind: 'judge'; readonly options: readonly Readonly<Record<string, unknown>>[] }
}

export type Reply =
  /** `thread`: the kernel's number of it, or 0. */
  | { readonly kind: 'ready'; readonly thread: number }
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
  /** What the worker said, in order. */
  readonly replies: readonly Reply[]
  /** Null where all went well. */
  readonly failure: Failure | null
}

/**
 * V8's own limit, MB. Not what bounds a file: where a single step needs more than is left, as a growing array does, V8 ends
 * the whole process. So it stands far above what the guard of the memory lets a file reach.
 */
const HEAP_MB = 3072
/** Milliseconds for a worker to begin on a busy machine; nothing of the user's runs yet. */
const BEGINNING = 30_000
/** Milliseconds for a thread to end. */
const LAST_PATIENCE = 2000

export interface Terms {
  /** Replies beside `ready` with which it is over. */
  readonly replies: number
  /** Milliseconds that the file is given. */
  readonly patience: number
  /** What is said of a file that takes longer. */
  readonly tooLate: string
}

/** Files whose thread has been told to end and has not: each new one would stay as well. */
const stuck = new Set<string>()

/** Never rejects. */
export async function runErrand(errand: Errand, terms: Terms): Promise<Outcome> {
  if (stuck.has(errand.module)) return { replies: [], failure: { message: STUCK, code: null } }
  const { done, ...guarded } = start(errand, terms)
  const release = guardMemory(guarded)
  return done.finally(release)
}

function noteStuck(module: string, ended: Promise<unknown>): void {
  const late = setTimeout(() => stuck.add(module), LAST_PATIENCE / 2).unref()
  const over = () => {
    clearTimeout(late)
    stuck.delete(module)
  }
  ended.then(over, over)
}

const STUCK = 'it is not loaded again while its thread of an earlier time stands in a system call'

function start(errand: Errand, terms: Terms): Guarded & { readonly done: Promise<Outcome> } {
  const { port1, port2 } = new MessageChannel()
  const worker = openForeignThread(besideFile(import.meta.url, 'worker-entry'), {
    workerData: { ...errand, port: port2 },
    transferList: [port2],
    name: 'loading a check',
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  })
  const replies: Reply[] = []
  let thread = 0
  let ended: Promise<unknown> = Promise.resolve()
  let end = (_message: string) => {}
  const done = new Promise<Outcome>(resolve => {
    let alarm: NodeJS.Timeout | undefined
    let isOver = false
    const finish = (failure: Failure | null) => {
      if (isOver) return
      isOver = true
      clearTimeout(alarm)
      port1.close()
      // It may stand in a system call, which nothing can end; nobody waits for it then.
      const terminated = worker.terminate()
      noteEnding(terminated)
      noteStuck(errand.module, terminated)
      ended = Promise.race([terminated, delay(LAST_PATIENCE, 0, { ref: false })])
      worker.unref()
      resolve({ replies, failure })
    }
    const fail = (message: string, code: string | null = null) => finish({ message, code })
    end = fail
    alarm = setTimeout(() => fail('its thread does not begin'), BEGINNING)
    const hear = (reply: Reply) => {
      if (reply?.kind === 'ready') {
        thread = typeof reply.thread === 'number' ? reply.thread : 0
        clearTimeout(alarm)
        alarm = setTimeout(() => fail(terms.tooLate), terms.patience)
        return
      }
      if (reply?.kind === 'failure') return fail(messageOf(reply), codeOf(reply))
      replies.push(reply)
      if (replies.length >= terms.replies) finish(null)
    }
    let isOpen = true
    /** What it said before its thread ended counts. Node crashes where it reads from a port that is closed. */
    const hearRest = () => {
      while (isOpen && !isOver) {
        const got = receiveMessageOnPort(port1)
        if (!got) return
        hear(got.message)
      }
    }
    port1.on('close', () => {
      isOpen = false
    })
    port1.on('message', hear)
    port1.on('messageerror', () => fail('it sends what cannot be read'))
    worker.on('error', error => {
      hearRest()
      fail(whatItThrew(error), codeOf(error))
    })
    worker.on('exit', code => {
      hearRest()
      fail(`it ends its thread (process.exit(${code}))`)
    })
  })
  const endNow = async (message: string) => {
    end(message)
    await ended
  }
  return { done, end: endNow, thread: () => thread }
}

function whatItThrew(error: unknown): string {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return GREW
  return `it throws where nothing catches it: ${messageOf(error)}`
}
