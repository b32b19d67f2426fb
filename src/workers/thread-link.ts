/** A worker for shipped checks: a thread. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { codeOf } from '../user-checks/read-kind.js'
import type { Cause } from './cause.js'
import { messageOf } from './guards.js'
import { GARBLED, type Link, type LinkListener } from './link.js'
import type { Terms } from './messages.js'
import { endGroups } from './orphans.js'
import { activityOf } from './process-facts.js'
import { MemoryWords, SharedState } from './shared.js'
import { watchEnd } from './stuck-threads.js'
import { besideFile, openThread } from './thread.js'

const ENTRY = besideFile(import.meta.url, 'entry')
/**
 * V8's own limit, megabytes. Not what bounds a worker: where a single step needs more than is left, as a growing array does,
 * V8 ends the whole process. So it stands far above anything that the core lets a worker reach.
 */
const HEAP = 3072
/** Of the part of the heap where objects are born, megabytes. */
const YOUNG = 24
/** Milliseconds between the end of the way to the core and that of the thread, where one brings the other. */
const CLOSED = 200

export function openThreadLink(name: string, terms: Terms, listener: LinkListener): Link {
  const words = new MemoryWords()
  const shared = new SharedState(words)
  const { port1, port2 } = new MessageChannel()
  const worker = openThread(ENTRY, {
    name,
    workerData: { port: port2, memory: words.memory, terms },
    transferList: [port2],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP, maxYoungGenerationSizeMb: YOUNG },
  })
  const gone = new Promise(resolve => worker.once('exit', resolve))
  /** Node reads from a port only while it is open, and crashes on any other. */
  let isOpen = true
  port1.on('message', message => listener.message(message))
  port1.on('messageerror', () => listener.ended(GARBLED))
  port1.on('close', () => {
    isOpen = false
    // A thread that ends closes it as well, and says why in a moment.
    setTimeout(() => listener.ended(GARBLED), CLOSED).unref()
  })
  worker.on('error', error => listener.ended(causeOf(error, terms.limit)))
  worker.on('exit', code => listener.ended({ kind: 'died', detail: `exit code ${code}` }))
  return {
    shared,
    megabytes: null,
    gone,
    send: orders => port1.postMessage(orders),
    drain: () => {
      while (isOpen) {
        const got = receiveMessageOnPort(port1)
        if (!got) return
        listener.message(got.message)
      }
    },
    activity: () => activityOf(process.pid, shared.thread),
    end: () => {
      isOpen = false
      port1.close()
      void worker.terminate().catch(() => {})
      // A thread in a system call that never ends must not keep lvsd from ending.
      worker.unref()
      watchEnd(worker, gone)
      const { groups, thread, isSpawning } = shared
      endGroups({ groups, thread, isSpawning, gone })
    },
  }
}

/** What Node says of a thread that ended by itself. Anything can be thrown there. */
function causeOf(error: unknown, limit: number): Cause {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return { kind: 'memory', limit }
  return { kind: 'threw', detail: messageOf(error), run: null }
}
