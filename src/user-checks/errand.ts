/** One errand in a worker of its own: what a user's file does to it ends as a sentence, after a stated time at most. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { noteEnding } from '../lost-threads.js'
import { openErrandThread } from './errand-thread.js'
import type { KindRecord, Verdict } from './read-kind.js'

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

export interface UnderWay {
  /** What the worker said, in order; the failure is null where all went well. Never rejects. */
  readonly done: Promise<{ readonly replies: readonly Reply[]; readonly failure: Failure | null }>
  /** Ends it; `message` says why. Resolves when its memory is free, or after a while. */
  end(message: string): Promise<void>
  /** How often its thread has asked the kernel for memory. */
  pageFaults(): number
}

/** MB of heap that a file may need; what it keeps outside of the heap is watched by whoever starts the errand. */
export const HEAP_MB = 128
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

export function startErrand(errand: Errand, terms: Terms): UnderWay {
  return stuck.has(errand.module) ? notStarted(STUCK) : start(errand, terms)
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

function notStarted(message: string): UnderWay {
  const done = Promise.resolve({ replies: [], failure: { message, code: null } })
  return { done, end: async () => {}, pageFaults: () => 0 }
}

function start(errand: Errand, terms: Terms): UnderWay {
  const worker = openErrandThread({
    workerData: errand,
    name: 'loading a check',
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  })
  const replies: Reply[] = []
  let thread = 0
  let ended: Promise<unknown> = Promise.resolve()
  let end = (_message: string) => {}
  const done = new Promise<{ replies: readonly Reply[]; failure: Failure | null }>(resolve => {
    let alarm: NodeJS.Timeout | undefined
    const finish = (failure: Failure | null) => {
      clearTimeout(alarm)
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
    worker.on('message', (reply: Reply) => {
      if (reply?.kind === 'ready') {
        thread = Number(reply.thread)
        clearTimeout(alarm)
        alarm = setTimeout(() => fail(terms.tooLate), terms.patience)
        return
      }
      if (reply?.kind === 'failure') return fail(reply.message, reply.code)
      replies.push(reply)
      if (replies.length >= terms.replies) finish(null)
    })
    worker.on('messageerror', error => fail(`it sends what cannot be read: ${error.message}`))
    worker.on('error', error => fail(whatItThrew(error), codeOf(error)))
    worker.on('exit', code => fail(`it ends its thread (process.exit(${code}))`))
  })
  const endNow = async (message: string) => {
    end(message)
    await ended
  }
  return { done, end: endNow, pageFaults: () => pageFaultsOf(thread) }
}

/** proc_pid_stat(5): the tenth field is `minflt`; the second, a name in brackets, may hold blanks. */
function pageFaultsOf(thread: number): number {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7])
  } catch {
    return 0
  }
}

function whatItThrew(error: unknown): string {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return `it needs more than ${HEAP_MB} MB of memory`
  return `it throws where nothing catches it: ${String((error as Error)?.message ?? error).slice(0, 2000)}`
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : null
}
