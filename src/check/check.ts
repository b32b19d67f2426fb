/**
 * What a file in checks/ implements. A check answers one question about one target and returns; retry, timing,
 * judging of health, concurrency and the deadline belong to the core.
 */
import type { Address } from '../core/address.js'
import type { OwnWord, Phase, Protocol } from '../core/model.js'
import type { Answer } from './answer.js'
import type { OptionKit, OptionShape, Parsed } from './option-kit.js'
import type { ProbeSpec } from './probe-spec.js'

export { type Answer, down, noVerdict, up } from './answer.js'

/** The service on whose behalf a target is checked, as external commands are told it. */
export interface TargetService {
  readonly name: string
  /** Null for a firewall mark. */
  readonly address: Address | null
  /** 0 for a firewall mark. */
  readonly port: number
  readonly protocol: Protocol | 'fwm'
  readonly fwmark: number | null
}

/** Where a check is sent: an address with its zone, never a name. */
export interface Target {
  readonly address: Address
  /** checkport, else the real server's port, else the check's default port; 0 where there is none. */
  readonly port: number
  /** The real server as the table knows it. */
  readonly real: { readonly address: Address; readonly port: number; readonly weight: number }
  readonly service: TargetService
}

export interface RunContext {
  /** Aborted at the deadline; give it to everything that waits. */
  readonly signal: AbortSignal
  /** The whole deadline, milliseconds from now. */
  readonly timeout: number
  /** Says which phase begins, so that a timeout names it and `lvsd probe` shows it. */
  phase(name: Phase | OwnWord): void
}

/** Whether lvsd brings a kind of check, or it is a file of a user's folder. */
export type Origin = 'shipped' | 'user'

export interface Check<S extends OptionShape = OptionShape> {
  /** Its name in configurations; the file is named after it. */
  readonly name: string
  /** Other names for it, such as ldirectord's. */
  readonly aliases?: readonly string[]
  /** One line for `lvsd checks`. */
  readonly summary: string
  /** Port where neither the check nor the real server names one. */
  readonly defaultPort?: number
  /** True where the answer depends on the service (it is told its address); then equal checks are not shared. */
  readonly perService?: boolean
  /** False where a plain TCP connect between two runs (`connects` of a configuration) cannot stand for a run. */
  readonly connects?: boolean
  /** Where its option `request` is the path of a URL: the scheme. A whole URL in place of the path is warned of. */
  readonly scheme?: string
  /** True of one of ours that starts processes: it has workers of its own, which may block longer. */
  readonly startsProcesses?: boolean
  /**
   * What this machine lacks for a check with these options (a library, a command), a sentence with what to do; null where
   * nothing. Asked when a configuration is read, whose reader is warned. Synchronous and quick; `run` finds out by itself.
   */
  missing?(options: Parsed<S>): string | null
  /** Its options, built with the kit that is handed in: type, default and one line each. */
  options(kit: OptionKit): S
  /** What is wrong with options that are each right alone, or null. */
  validate?(options: Parsed<S>): string | null
  /**
   * False where a pass with these options does not show that the server lives, so that another check belongs beside it.
   * Asked of ours.
   */
  provesLife?(options: Parsed<S>): boolean
  /**
   * What goes over the wire, as data; null where these options need `run`. Pure: called once per target, not per check.
   * An answer with which its judge defers is left to `run`, from then on.
   */
  probe?(target: Target, options: Parsed<S>): ProbeSpec | null
  /** The check as code. Network errors may be thrown: the core turns them into answers. */
  run?(target: Target, options: Parsed<S>, context: RunContext): Promise<Answer>
  /** URL of the file that exports it. Set when it is loaded, as is `origin`; a check that a test makes has neither. */
  readonly module?: string
  readonly origin?: Origin
  /** True where `validate` and `missing` are asked in the worker of its file, when all of a configuration is read. */
  readonly isJudgedApart?: boolean
}

/** Gives a check's options their types; returns it unchanged. */
export function defineCheck<S extends OptionShape>(check: Check<S>): Check<S> {
  return check
}

/** Thrown where a check lacks something of this machine's own, such as a file: no verdict, with the message as detail. */
export class CannotAsk extends Error {
  override readonly name = 'CannotAsk'
}
