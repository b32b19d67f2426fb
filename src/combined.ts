/**
 * A check that does not always run: between two runs plain connects to the same port stand for it, as with ldirectord's
 * `checktype = N`. Any failure makes the next one the check itself.
 *
 *   left   this run     passes         fails
 *   0      the check    left = N       left = 0
 *   n > 0  a connect    left = n - 1   left = 0
 */
import type { Answer, Check, RunContext, Target } from './check.js'
import type { Probe } from './probe/probe.js'
import { runProbe } from './probe/start-probe.js'

type Options = Readonly<Record<string, unknown>>

/** The check with so many connects between its runs. It counts for one target: each job has one of its own. */
export function combined(check: Check, connects: number): Check {
  let left = 0
  // A probe would run by itself, every time.
  const { probe: _probe, ...rest } = check
  return {
    ...rest,
    async run(target, options, context) {
      const turn = left
      // Until it is known that this run passes; one that is given up at the deadline never says.
      left = 0
      const answer = await (turn > 0
        ? runData(connectTo(target), context)
        : runOnce(check, target, options, context))
      if (answer.ok === true && !context.signal.aborted) left = turn > 0 ? turn - 1 : connects
      if (answer.ok === null) left = turn
      return answer
    },
  }
}

async function runOnce(check: Check, target: Target, options: Options, context: RunContext): Promise<Answer> {
  const probe = check.probe?.(target, options)
  if (probe) return runData(probe, context)
  if (!check.run) throw new Error(`the check ${check.name} cannot run with these options`)
  return check.run(target, options, context)
}

async function runData(probe: Probe, { timeout, phase }: RunContext): Promise<Answer> {
  phase('connect')
  const { ok, reason, detail, phase: reached } = await runProbe(probe, timeout)
  if (reached) phase(reached)
  return { ok, reason, detail }
}

function connectTo({ address, port }: Target): Probe {
  const judge = { kind: 'connected' } as const
  return { kind: 'tcp', address, port, send: new Uint8Array(), end: false, reset: false, judge }
}
