/** Reports harm that code does to its worker as a fault, with the run that caused it if known. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import { DESCRIPTORS } from './frames.js'
import type { Fault } from './messages.js'
import type { Outbox } from './outbox.js'

export function guardProcess(outbox: Outbox, currentRun: () => number | null): Tell {
  const fault = (kind: Fault['kind'], detail: string) => {
    outbox.say({ say: 'fault', fault: { kind, detail, run: currentRun() } })
    // The event loop may never run again.
    outbox.flush()
  }
  process.on('uncaughtException', error => fault('threw', messageOf(error)))
  process.on('unhandledRejection', error => fault('rejected', messageOf(error)))
  const real = process as unknown as Record<'exit' | 'reallyExit' | 'abort', (code?: unknown) => never>
  for (const name of ['exit', 'reallyExit'] as const) {
    const end = real[name].bind(process)
    real[name] = code => {
      fault('exit', `process.exit(${code === undefined ? '' : messageOf(code)})`)
      return end(code)
    }
  }
  const abort = real.abort.bind(process)
  real.abort = () => {
    fault('exit', 'process.abort()')
    return abort()
  }
  return fault
}

/** Reports a fault with the current run. */
type Tell = (kind: Fault['kind'], detail: string) => void

/**
 * Refuses calls in a user's file that would harm lvsd or the machine: a signal to the parent process would end the
 * director, a closed connection to lvsd would lose answers, and additional threads are not covered by the heartbeat.
 */
export function guardDirector(): void {
  keepDirector()
  keepDescriptors()
  Object.assign(threads, { Worker: RefusedWorker })
  syncBuiltinESMExports()
}

function keepDirector(): void {
  const kill = process.kill.bind(process)
  const director = process.ppid
  process.kill = (pid, signal) => {
    if (pid === -1 || Math.abs(pid) === director) throw new Error('a check must not send signals to lvsd')
    return kill(pid, signal)
  }
}

function keepDescriptors(): void {
  const ours: ReadonlySet<unknown> = new Set(Object.values(DESCRIPTORS))
  const builtin = fs as unknown as Record<'close' | 'closeSync', (...args: unknown[]) => unknown>
  for (const name of ['close', 'closeSync'] as const) {
    const close = builtin[name]
    builtin[name] = (fd, ...rest) => {
      if (ours.has(fd)) throw new Error('a check must not close what it has not opened')
      return close(fd, ...rest)
    }
  }
}

class RefusedWorker {
  constructor() {
    throw new Error('a check must not start threads')
  }
}

/** Returns the message of anything that was thrown, even if reading it throws. */
export function messageOf(thrown: unknown): string {
  try {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return (String(message).split('\n', 1)[0] ?? '').slice(0, 300)
  } catch {
    return 'something without a message'
  }
}
