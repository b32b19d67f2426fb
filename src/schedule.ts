/** What runs the checks: a clockwork, and on it an engine for probes (data) and one for checks that are code. */
import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from './clock.js'
import { Clockwork } from './clockwork/clockwork.js'
import type { Start } from './flight.js'
import { DEFERRED } from './probe/defer.js'
import type { Engine, OnResult, Timing } from './probe/engine.js'
import { type PreparedProbe, prepareProbe, startProbe } from './probe/start-probe.js'
import { type CodeWork, startCheck } from './run-check.js'
import type { StatusDocument } from './status.js'

/** Runs checks of any kind. Nobody but this knows which of them are probes. */
export interface Engines extends Engine<CodeWork> {
  stats(): StatusDocument['schedule']
}

/** Descriptors kept back for the control socket, the kernel, the journal and what checks open beside their socket. */
const RESERVE = 64
/** Checks that are code may each be a process or a TLS handshake; more of them at once would only hold each other up. */
const MOST_CODE = 100

/** Starts with no job. At most `concurrency` runs are under way at once, or fewer where descriptors are scarce. */
export function openEngines(
  onResult: OnResult,
  concurrency: number,
  { clock = systemClock, descriptors = descriptorLimit() }: { clock?: Clock; descriptors?: number } = {},
): Engines {
  const clockwork = new Clockwork(clock, Math.min(concurrency, descriptors - RESERVE))
  const probes = clockwork.engine(startDeferring, onResult)
  const code = clockwork.engine(startCheck, onResult, MOST_CODE)
  const setCode = (id: string, work: CodeWork, timing: Timing) => {
    probes.remove(id)
    code.set(id, work, timing)
  }
  return {
    set: (id, work, timing) => {
      const prepared = preparedFor(work)
      if (prepared === null) return setCode(id, work, timing)
      if (prepared instanceof Error) return setCode(id, failing(work, prepared), timing)
      code.remove(id)
      // A server that redirects once goes on to do so: from now on it is asked by the code at once.
      const defer = () => setCode(id, work, { ...timing, firstIn: 0 })
      probes.set(id, { prepared, defer }, timing)
    },
    remove: id => {
      probes.remove(id)
      code.remove(id)
    },
    soon: (id, ms) => {
      probes.soon(id, ms)
      code.soon(id, ms)
    },
    stats: () => clockwork.stats(),
    close: () => clockwork.close(),
  }
}

/** Checks come from users too: one that cannot say what it asks is an answer, and no end of a start or a reload. */
function preparedFor({ check, target, options }: CodeWork): PreparedProbe | Error | null {
  try {
    const probe = check.probe?.(target, options) ?? null
    return probe && prepareProbe(probe)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function failing(work: CodeWork, error: Error): CodeWork {
  return { ...work, check: { ...work.check, run: () => Promise.reject(error) } }
}

interface Deferring {
  readonly prepared: PreparedProbe
  readonly defer: () => void
}

const startDeferring: Start<Deferring> = ({ prepared, defer }, timeout, done, traced) =>
  startProbe(prepared, timeout, answer => (answer === DEFERRED ? defer() : done(answer)), traced)

/** The soft limit on open files of this process, Infinity where there is none. */
export function descriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
