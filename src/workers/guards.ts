/**
 * What code in a worker may do to its thread and its process. Some of it Node itself refuses in threads (abort, chdir,
 * setuid, umask). The rest becomes a fault that the core is told, with the run from which it came where that is known.
 */
import { MessagePort } from 'node:worker_threads'
import type { Fault } from './messages.js'
import type { Outbox } from './outbox.js'

export function guardThread(outbox: Outbox, currentRun: () => number | null): Tell {
  const fault = (kind: Fault['kind'], detail: string) => {
    outbox.say({ say: 'fault', fault: { kind, detail, run: currentRun() } })
    // The thread may not come round again.
    outbox.flush()
  }
  process.on('uncaughtException', error => fault('threw', messageOf(error)))
  process.on('unhandledRejection', error => fault('rejected', messageOf(error)))
  const real = process as unknown as Record<'exit' | 'reallyExit', (code?: unknown) => never>
  for (const name of ['exit', 'reallyExit'] as const) {
    const end = real[name].bind(process)
    real[name] = code => {
      fault('exit', `process.exit(${code === undefined ? '' : messageOf(code)})`)
      return end(code)
    }
  }
  return fault
}

/** Tells a fault, with the run from which it comes now. */
type Tell = (kind: Fault['kind'], detail: string) => void

/** A signal to this process would end the director, and what is sent to the core by another than lvsd's own part. */
export function guardProcess(): void {
  hidePorts()
  const kill = process.kill.bind(process)
  process.kill = (pid, signal) => {
    if (pid === 0 || pid === -1 || Math.abs(pid) === process.pid)
      throw new Error('a check must not send signals to lvsd')
    return kill(pid, signal)
  }
}

function hidePorts(): void {
  const raw = process as unknown as { _getActiveHandles: () => unknown[] }
  const handles = raw._getActiveHandles.bind(process)
  raw._getActiveHandles = () => handles().filter(handle => !(handle instanceof MessagePort))
}

/** Whatever was thrown, and however it resists being looked at. */
export function messageOf(thrown: unknown): string {
  try {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return (String(message).split('\n', 1)[0] ?? '').slice(0, 300)
  } catch {
    return 'something without a message'
  }
}
