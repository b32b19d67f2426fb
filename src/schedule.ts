/** What runs the checks: a clockwork, and on it an engine for probes (data) and one for checks that are code. */
import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from './clock.js'
import { Clockwork } from './clockwork.js'
import type { Engine, OnResult } from './probe/engine.js'
import { prepareProbe, startProbe } from './probe/start-probe.js'
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
  const probes = clockwork.engine(startProbe, onResult)
  const code = clockwork.engine(startCheck, onResult, MOST_CODE)
  return {
    set: (id, work, timing) => {
      const probe = work.check.probe?.(work.target, work.options) ?? null
      if (probe) {
        code.remove(id)
        probes.set(id, prepareProbe(probe), timing)
      } else {
        probes.remove(id)
        code.set(id, work, timing)
      }
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

/** The soft limit on open files of this process, Infinity where there is none. */
export function descriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
