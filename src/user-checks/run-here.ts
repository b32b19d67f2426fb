/** Runs a user's check in this thread. */
import type { Answer, Check, RunContext, Target } from '../check.js'
import { runProbe } from '../probe/start-probe.js'
import { importCheck } from './read-kind.js'

/** What the file at `module` answers. */
export async function runHere(
  module: string,
  target: Target,
  options: Readonly<Record<string, unknown>>,
  context: RunContext,
): Promise<Answer> {
  const check = (await importCheck(module)) as unknown as Check
  const probe = check.probe?.(target, options)
  if (!probe) return (check.run as NonNullable<Check['run']>)(target, options, context)
  const { ok, reason, detail, phase } = await runProbe(probe, context.timeout)
  if (phase) context.phase(phase)
  return { ok, reason, detail }
}
