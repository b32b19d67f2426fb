/** Examines this machine and a configuration in a separate thread, for the daemon. */
import { once } from 'node:events'
import { besideFile, openThread } from '../system/thread.js'
import type { Daemon } from './facts.js'
import type { Finding } from './finding.js'

export interface ExaminationRequest {
  readonly file: string
  readonly daemon: Daemon
  /** Last addresses of names. */
  readonly names: ReadonlyMap<string, string>
}

export interface Examination {
  readonly isRoot: boolean
  readonly findings: readonly Finding[]
}

/** Time limit in milliseconds, and limit of the heap in MiB. */
const PATIENCE = 60_000
const MEMORY = 1024

/** Rejects if it takes too long, or needs too much memory. */
export async function examineApart(request: ExaminationRequest): Promise<Examination> {
  const thread = openThread(besideFile(import.meta.url, 'examining-thread'), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY },
    stdout: true,
    stderr: true,
  })
  const controller = new AbortController()
  thread.once('exit', code => controller.abort(new Error(`its thread ended with ${code}`)))
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(PATIENCE)])
  try {
    const [examination] = await once(thread, 'message', { signal })
    return examination as Examination
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    void thread.terminate()
  }
}
