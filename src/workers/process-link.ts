/** A worker for a user's file: a process. */
import { openForeignProcess } from './foreign-process.js'
import { GARBLED, type Link, type LinkListener } from './link.js'
import type { Terms } from './messages.js'
import { activityOf } from './process-facts.js'
import { SharedState } from './shared.js'
import { besideFile } from './thread.js'

const ENTRY = besideFile(import.meta.url, 'process-entry')
/** Bytes of one message: the answers of all runs that a worker may have under way, each as long as may be. */
const MOST = 1 << 20

export function openProcessLink(terms: Terms, listener: LinkListener): Link {
  const worker = openForeignProcess(
    { entry: ENTRY, most: MOST },
    {
      message: message => listener.message(message),
      garbled: () => listener.ended(GARBLED),
      ended: (how, signal) =>
        listener.ended(
          // So V8 ends it where its heap is full.
          signal === 'SIGABRT' ? { kind: 'memory', limit: terms.limit } : { kind: 'died', detail: how },
        ),
    },
  )
  worker.send(terms)
  return {
    shared: new SharedState(worker.words),
    get megabytes() {
      return worker.megabytes
    },
    gone: worker.gone,
    send: orders => worker.send(orders),
    drain: () => worker.drain(),
    activity: () => activityOf(worker.pid, worker.pid),
    end: () => worker.end(),
  }
}
