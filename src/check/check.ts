/**
 * The interface that a file in checks/ implements. A check tests one target once. Retries, timing, health, concurrency
 * and the deadline are the task of the core.
 */
import type { Address } from '../core/address.js'
import type { OwnWord, Phase, Protocol } from '../core/model.js'
import type { Answer } from './answer.js'
import type { OptionKit, OptionShape, Parsed } from './option-kit.js'
import type { OptionProblem } from './option-problem.js'
import type { ProbeSpec } from './probe-spec.js'

export { type Answer, down, noVerdict, up } from './answer.js'
export type { OptionProblem } from './option-problem.js'

/** The service of the target, as passed to external commands. */
export interface TargetService {
  readonly name: string
  /** Null for a firewall mark. */
  readonly address: Address | null
  /** 0 for a firewall mark. */
  readonly port: number
  readonly protocol: Protocol | 'fwm'
  readonly fwmark: number | null
}

/** The target of a check: an address with its zone, never a name. */
export interface Target {
  readonly address: Address
  /** `checkport`, else the port of the real server, else the kind's default port; 0 if there is none. */
  readonly port: number
  /**
   * The source address that the check must bind to, as `localAddress` of a socket; null or absent: the kernel chooses.
   * It may be another one at each run.
   */
  readonly source?: Address | null
  /**
   * Set if the run takes the path of a service (`path: service`), which only kinds with `takesPath` do: its sockets must then be
   * those of `checks/lib/destination.ts`.
   */
  readonly marked?: MarkedRun | null
  /** The real server as in the desired table. */
  readonly real: { readonly address: Address; readonly port: number; readonly weight: number }
  readonly service: TargetService
}

/** The firewall mark of the packets of a run, its path, and local ports for its sockets: each takes the next one. */
export interface MarkedRun {
  /** Another path may have had it before. */
  readonly mark: number
  /** Key of the path (`core/service-path.ts`): it tells the real server, whose address and port the target has not. */
  readonly path: string
  readonly ports: number[]
}

export interface RunContext {
  /** Aborts at the deadline. Pass it to every operation that waits. */
  readonly signal: AbortSignal
  /** The time limit of the run in milliseconds. */
  readonly timeout: number
  /** Reports the start of a phase. A timeout names the phase, and `lvsd probe` shows it. */
  phase(name: Phase | OwnWord): void
}

/** `shipped`: the kind is part of lvsd. `user`: it comes from a file in a user's folder. */
export type Origin = 'shipped' | 'user'

export interface Check<S extends OptionShape = OptionShape> {
  /** Name of the kind in configurations and of its file. */
  readonly name: string
  /** Alternative names, such as ldirectord's. */
  readonly aliases?: readonly string[]
  /** One-line description for `lvsd checks`. */
  readonly summary: string
  /** Port to use if neither the check nor the real server has one. */
  readonly defaultPort?: number
  /** True if the answer depends on the service. Equal checks of different services are then not shared. */
  readonly perService?: boolean
  /** False if a plain TCP connect (`connects` in a configuration) cannot replace a run. */
  readonly connects?: boolean
  /**
   * True if it speaks to the target over TCP with these options, so that an idle connection (`sentinel`) and a bare
   * connect tell something of it. Absent: as `connects`. Used for shipped kinds only.
   */
  overTcp?(options: Parsed<S>): boolean
  /**
   * Returns true if its code with these options may take the path of a service (`path: service`): it connects to the address and
   * port of the target alone, with `checks/lib/destination.ts`, in nearly all runs once. Else returns the option that is in the way,
   * for people. Used for shipped kinds only.
   */
  takesPath?(options: Parsed<S>): true | string
  /** True if it tests the host and not a service on it, as a ping does. No answer then means that the host is dead. */
  readonly testsHost?: boolean
  /** The URL scheme, if the option `request` is the path of a URL. lvsd then warns about a complete URL in that option. */
  readonly scheme?: string
  /** True for a shipped kind that starts processes. It runs in separate workers, which may block longer. */
  readonly startsProcesses?: boolean
  /**
   * Reports what this machine lacks for these options (a library, a command), as a sentence with the remedy, or null.
   * It is called when a configuration is read, and its result is a warning. It must be synchronous and quick. `run`
   * must detect the lack itself as well.
   */
  missing?(options: Parsed<S>): string | null
  /** Declares the options with the given kit: type, default and a one-line description of each. */
  options(kit: OptionKit): S
  /**
   * Returns the error in a combination of options that are each valid, or null. It is shown at the option that `path`
   * names; a sentence alone is shown at the check.
   */
  validate?(options: Parsed<S>): OptionProblem | string | null
  /**
   * Returns false if a pass with these options does not prove that the server works, so that the real server needs
   * another check too. Used for shipped kinds only.
   */
  provesLife?(options: Parsed<S>): boolean
  /**
   * Returns what a passing answer has with these options, as words for people: `status 200-299`. Without it, lvsd
   * describes what the probe is judged by, or shows the summary. Used for shipped kinds only. Must not contain secrets.
   */
  expects?(options: Parsed<S>): string | null
  /**
   * Returns the probe for these options, or null if they need `run`. Pure; called once per target, not per run. After
   * an answer that the probe defers (`NEEDS_CODE`), lvsd uses `run` for this job.
   */
  probe?(target: Target, options: Parsed<S>): ProbeSpec | null
  /** Runs the check as code. It may throw network errors, which the core converts to answers. */
  run?(target: Target, options: Parsed<S>, context: RunContext): Promise<Answer>
  /** URL of the check's file. The loader sets `module` and `origin`; a check created in a test has neither. */
  readonly module?: string
  readonly origin?: Origin
  /** Hash of the content of a user's file and of its helpers; absent for a shipped kind. */
  readonly version?: string
  /** True if `validate` and `missing` are called in the worker of the check's file, after the configuration is read. */
  readonly isJudgedApart?: boolean
}

/** Infers the types of a check's options. Returns the check unchanged. */
export function defineCheck<S extends OptionShape>(check: Check<S>): Check<S> {
  return check
}

/** True if the check speaks to its target over TCP. No function of a user's check is called. */
export function isOverTcp(check: Check, options: Readonly<Record<string, unknown>>): boolean {
  return (check.origin === 'user' ? undefined : check.overTcp?.(options)) ?? check.connects !== false
}

/** Thrown if this machine lacks something, such as a file: no verdict, with the message as detail. */
export class CannotAsk extends Error {
  override readonly name = 'CannotAsk'
}
