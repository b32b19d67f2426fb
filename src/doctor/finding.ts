/** What doctor says about one hazard. */
import type { Facts } from './facts.js'

/** From the worst to the best. `not known`: a fact could not be read, so the hazard cannot be judged. */
export const SEVERITIES = ['error', 'warning', 'note', 'not known', 'ok'] as const
export type Severity = (typeof SEVERITIES)[number]

export interface Judgement {
  readonly severity: Severity
  /** The fact, in one line without a full stop. */
  readonly title: string
  /** The consequence and who is affected, in one paragraph. Empty if there is no problem. */
  readonly text: string
  /** Commands that correct it; empty if they depend on the site. */
  readonly commands: readonly string[]
  /** Names of the services concerned; empty if it concerns the machine. */
  readonly services: readonly string[]
}

export interface Finding extends Judgement {
  /** Stable name of the hazard: `expire-nodest-conn`. */
  readonly id: string
}

/** One hazard. It returns no judgement if it does not concern this machine and configuration. Pure. */
export interface Hazard {
  readonly id: string
  judge(facts: Facts): readonly Judgement[]
}

interface More {
  readonly commands?: readonly string[]
  readonly services?: readonly string[]
}

function judgement(severity: Severity) {
  return (title: string, text: string, { commands = [], services = [] }: More = {}): Judgement => ({
    severity,
    title,
    text,
    commands,
    services,
  })
}

/** The service does not work, or not for all clients. */
export const error = judgement('error')
/** It works now and does harm when a server fails, a director takes over, or the load rises. */
export const warning = judgement('warning')
/** Worth knowing; it may be on purpose. */
export const note = judgement('note')

/** There is no problem. */
export function ok(title: string): Judgement {
  return judgement('ok')(title, '')
}

/** A fact could not be read. `why` explains how it can be read. */
export function notKnown(title: string, why: string): Judgement {
  return judgement('not known')(title, why)
}
