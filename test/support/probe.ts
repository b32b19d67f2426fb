/** Runs one check against a test server as lvsd does: parses the options, runs its probe or `run` under a deadline. */

import type { Check, Target } from '../../src/check/check.js'
import { type OptionShape, optionKit } from '../../src/check/option-kit.js'
import { asOptionProblem } from '../../src/check/option-problem.js'
import { z } from '../../src/check/option-types.js'
import type { ProbeSpec } from '../../src/check/probe-spec.js'
import { type CodeWork, runCheck } from '../../src/check/run-code.js'
import { parseAddress } from '../../src/core/address.js'
import type { CheckResult } from '../../src/core/model.js'
import { runProbe } from '../../src/probe/start-probe.js'
import { type OneShot, openOneShot } from '../../src/schedule/executors.js'
import { isDeferred, runNative } from './native-probe.js'

/** `LVSD_TEST_ENGINE=native`: probes run in the engine's thread, as far as `runCheck` is not meant. */
const isNative = process.env.LVSD_TEST_ENGINE === 'native'

/** `LVSD_TEST_MARKED=1`: checks whose code can take the path of a service have the sockets of such a path, without a mark. */
const isMarked = process.env.LVSD_TEST_MARKED === '1'

/** A server of `servers.ts`, a port of `::1`, or a complete target. */
export type Where = number | { readonly host: string; readonly port: number } | Target

export interface How {
  /** Milliseconds. The default suits a busy machine; set a shorter one for a server that does not respond. */
  readonly timeout?: number
  /** What runs the check. */
  readonly executor?: OneShot | null
  /** Runs the code of a check that has a probe too, as lvsd does once the probe has left a verdict to it. */
  readonly asCode?: boolean
}

/** Returns the result of the check. `options` are raw, as in a configuration. */
export function probe<S extends OptionShape>(
  check: Check<S>,
  where: Where,
  options: Readonly<Record<string, unknown>> = {},
  { timeout = 10_000, executor, asCode = false }: How = {},
): Promise<CheckResult> {
  const target = targetOf(where)
  const parsed = z.strictObject(check.options(optionKit)).parse(options) as never
  const problem = asOptionProblem(check.validate?.(parsed) ?? null)
  if (problem) throw new Error(problem.message)
  if (executor) return executor.run({ check: check as unknown as Check, target, options: parsed }, timeout)
  if (check.origin === 'user')
    return probeApart({ check: check as unknown as Check, target, options: parsed }, timeout)
  if (isMarked && target.marked === undefined && check.takesPath?.(parsed) === true) {
    const marked = { ...target, marked: { mark: 0, path: 'a path', ports: [] } }
    return runCheck({ check: check as unknown as Check, target: marked, options: parsed }, timeout)
  }
  const data = asCode ? null : check.probe?.(target, parsed)
  const code = () => runCheck({ check: check as unknown as Check, target, options: parsed }, timeout)
  return data ? probeFirst(data, timeout, code) : code()
}

/** Runs a probe, then the code if the probe leaves the verdict to it, as lvsd does. */
async function probeFirst(
  data: ProbeSpec,
  timeout: number,
  code: () => Promise<CheckResult>,
): Promise<CheckResult> {
  const result = await (isNative ? runNative : runProbe)(data, timeout)
  return isDeferred(result) ? code() : result
}

/** Runs a kind from a user's folder, whose code is not loaded in this process. */
async function probeApart(work: CodeWork, timeout: number): Promise<CheckResult> {
  const executor = openOneShot()
  try {
    return await executor.run(work, timeout)
  } finally {
    await executor.close()
  }
}

/** Returns the target of a real server of the service `web`, `[2001:db8::80]:80`. */
export function targetOf(where: Where): Target {
  if (typeof where === 'object' && 'service' in where) return where
  const { host, port } = typeof where === 'number' ? { host: '::1', port: where } : where
  const address = parseAddress(host)
  if (!address) throw new Error(`${host} is no address`)
  return {
    address,
    port,
    real: { address, port, weight: 1 },
    service: { name: 'web', address: parseAddress('2001:db8::80'), port: 80, protocol: 'tcp', fwmark: null },
  }
}
