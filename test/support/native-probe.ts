/** Runs probes in the engine's thread, one thread for each process of the tests. */
import type { ProbeSpec } from '../../src/check/probe-spec.js'
import { runOnce } from '../../src/check/run.js'
import type { CheckResult } from '../../src/core/model.js'
import { NodeLoop } from '../../src/probe/engine/node-loop.js'
import { NativeProbes } from '../../src/probe/engine/start-native.js'
import { NEEDS_CODE } from '../../src/probe/needs-code.js'
import { runProbe } from '../../src/probe/start-probe.js'
import { NativeExecutor } from '../../src/schedule/engine/native-executor.js'
import { systemClock } from '../../src/util/clock.js'
import { recordingLog } from './logs.js'

type Waiting = (result: CheckResult | Error) => void

/** A thread that is left open does not keep the process alive. */
const CLOCK = {
  now: systemClock.now,
  alarm: (ms: number, call: () => void) => {
    const timer = setTimeout(call, ms).unref()
    return () => clearTimeout(timer)
  },
}

let opened: NativeExecutor | null = null
const waiting = new Map<string, Waiting>()
let last = 0

function engine(): NativeExecutor {
  opened ??= new NativeExecutor({
    clock: CLOCK,
    cap: 1000,
    sources: null,
    log: recordingLog().log,
    report: (id, result) => waiting.get(id)?.(result),
    onDelay: () => {},
    isSettled: () => false,
    workOf: () => null,
    onDeferred: id => waiting.get(id)?.({ ...NEEDS_CODE, ms: 0, phase: null, phases: [] }),
    onGivenUp: jobs => {
      for (const { id } of jobs) waiting.get(id)?.(new Error('the engine does not work'))
    },
  })
  return opened
}

/** True if the probe has left the verdict to the code of its check. */
export function isDeferred({ ok, detail }: CheckResult): boolean {
  return ok === null && detail === NEEDS_CODE.detail
}

/** As `runProbe`, in the engine's thread. Of a verdict that is left to code the thread says no phases. */
export async function runNative(probe: ProbeSpec, timeout: number): Promise<CheckResult> {
  // It sends nothing, and does not run in the engine.
  if (probe.kind === 'fixed') return runProbe(probe, timeout)
  const id = `${++last}`
  const { address } = probe
  const port = 'port' in probe ? probe.port : 0
  const timing = { interval: 3_600_000, timeout, firstIn: 0 }
  const { source } = probe
  const work = { probe, connects: 0, target: { address, port }, ...(source && { source }) }
  try {
    return await new Promise((resolve, reject) => {
      waiting.set(id, result => (result instanceof Error ? reject(result) : resolve(result)))
      engine().set(id, work, timing)
    })
  } finally {
    waiting.delete(id)
    engine().remove(id)
  }
}

let here: { readonly loop: NodeLoop; readonly probes: NativeProbes } | null = null

/** As `runProbe`, on epoll in Node's event loop. */
export function runOnNodeLoop(probe: ProbeSpec, timeout: number): Promise<CheckResult> {
  if (probe.kind === 'fixed') return runProbe(probe, timeout)
  if (!here) {
    const loop = new NodeLoop()
    here = { loop, probes: new NativeProbes(loop) }
  }
  const begin = here.probes.startFrom(probe, () => probe.source ?? null)
  return runOnce((_, within, done) => begin(within, done), null, timeout)
}

/** Ends the thread, and what runs in Node's event loop. */
export async function closeNative(): Promise<void> {
  here?.probes.close()
  here?.loop.close()
  here = null
  const engineBefore = opened
  opened = null
  await engineBefore?.close()
}

/** All ways to run a probe. Close with `closeNative`. */
export const ENGINES = [
  { engine: "on Node's sockets", run: runProbe },
  { engine: 'on epoll', run: runNative },
  { engine: "on epoll in Node's event loop", run: runOnNodeLoop },
] as const

export type RunProbe = typeof runProbe
