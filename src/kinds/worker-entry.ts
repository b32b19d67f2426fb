/**
 * Entry point of the process that performs one task on a file of a user's folder. It runs with low priority. Output of
 * the file is counted and dropped.
 */

import { codeOf, importCheck, messageOf, NotLoaded } from '../check/import-check.js'
import { hearCore, sendToCore, yieldToOthers } from '../workers/core-link.js'
import type { Errand, Reply } from './errand.js'
import { judgeOptions, recordKind } from './read-kind.js'

/** Niceness: a file that loops while loading takes little CPU time from the core. */
const NICE = 10

const send = (reply: Reply) => sendToCore(reply)

let printed = 0
let beginning = ''

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

/** Reports an error that would end the process. */
function sendFaults(): void {
  const thrown = (error: unknown) => {
    const message = `it has an uncaught exception: ${messageOf(error)}`
    send({ kind: 'failure', message, code: codeOf(error) })
  }
  process.on('uncaughtException', thrown)
  process.on('unhandledRejection', thrown)
}

async function work({ module, task }: Errand): Promise<void> {
  const check = await importCheck(module)
  if (task.kind === 'describe') {
    const record = recordKind(check, task.words)
    send({ kind: 'record', record, printed, beginning })
  } else
    for (const [i, options] of task.options.entries()) {
      send({ kind: 'verdict', index: i, ...judgeOptions(check, options) })
    }
}

hearCore(errand => {
  yieldToOthers(NICE)
  muffle()
  sendFaults()
  send({ kind: 'ready' })
  work(errand as Errand).catch(error => {
    const what = error instanceof NotLoaded ? 'it does not load: ' : ''
    send({ kind: 'failure', message: `${what}${messageOf(error)}`, code: codeOf(error) })
  })
})
