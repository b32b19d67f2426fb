/**
 * The last known state of each check, real server and service, from an earlier run of lvsd. It is shown to people; no
 * rule of `core/health.ts` uses it. A state that is found again after the restart keeps its `since`.
 */
import { crc32 } from 'node:zlib'
import { endpoint } from '../core/address.js'
import { virtualsOf } from '../core/kernel-services.js'
import {
  type CheckResult,
  type HealthState,
  keyAsWritten,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'
import { type CheckState, NO_RESULT, type RememberedHealth } from './check-state.js'
import { wholeQuestion } from './job-ids.js'
import type { Subscriber } from './jobs.js'
import type { Standing } from './standings.js'

/** State of a service or a real server as it is written. Ages are milliseconds before the snapshot. */
interface Written {
  readonly key: string
  readonly state: HealthState
  readonly age: number
  readonly checks?: readonly WrittenCheck[]
}

interface WrittenCheck extends Omit<Written, 'checks'> {
  /** Age of the last result, and the result. */
  readonly lastAge: number | null
  readonly last:
    | readonly [
        ok: boolean,
        reason: CheckResult['reason'],
        detail: string,
        phase: CheckResult['phase'],
        ms: number,
      ]
    | null
}

/** Milliseconds after which a stored state is too old to be useful. */
const LONGEST_AGE = 86_400_000

type Traffic = { readonly has: boolean; readonly since: number }

export interface HealthSource {
  readonly services: readonly ResolvedService[]
  trafficOf(service: ResolvedService): Traffic | undefined
  standingOf(real: ResolvedReal): Standing | undefined
  checkStatesOf(real: ResolvedReal): readonly CheckState[]
}

export class RecalledHealth {
  readonly #records = new Map<string, RememberedHealth>()

  /** Returns what an earlier run knew; each record is given once. */
  ofCheck(subscriber: Subscriber): RememberedHealth | null {
    const { service, real } = subscriber
    return this.#takeOf(service, key => `${keyOfServer(key, real)} ${keyOfCheck(subscriber)}`)
  }

  ofReal(service: ResolvedService, real: ResolvedReal): RememberedHealth | null {
    return this.#takeOf(service, key => keyOfServer(key, real))
  }

  /** True if `ofCheck` would return something. */
  hasCheck(subscriber: Subscriber): boolean {
    const { service, real } = subscriber
    return this.#hasOf(service, key => `${keyOfServer(key, real)} ${keyOfCheck(subscriber)}`)
  }

  /** True if `ofReal` would return something. */
  hasReal(service: ResolvedService, real: ResolvedReal): boolean {
    return this.#hasOf(service, key => keyOfServer(key, real))
  }

  ofService(service: ResolvedService): RememberedHealth | null {
    return this.#takeOf(service, key => key)
  }

  /** Returns what an earlier run knew of a service, and keeps it. */
  traffic(service: ResolvedService): Traffic | null {
    const [record] = virtualsOf(service).flatMap(one => this.#records.get(keyAsWritten(one)) ?? [])
    return record ? { has: record.state === 'up', since: record.since } : null
  }

  /** Takes a value of `written`. Throws if it is none. */
  restore(value: unknown, ageMs: number, now: number): void {
    const { key, state, age, checks = [] } = value as Written
    if (ageMs > LONGEST_AGE) return
    const begin = now - ageMs
    if (isKnown(state))
      this.#records.set(textOf(key), { state, since: begin - age, last: null, lastAt: null })
    for (const check of checks) {
      const { last, lastAge } = check
      if (!isKnown(check.state)) continue
      this.#records.set(`${textOf(key)} ${textOf(check.key)}`, {
        state: check.state,
        since: begin - check.age,
        last: last && resultOf(last),
        lastAt: lastAge === null ? null : begin - lastAge,
      })
    }
  }

  #hasOf(service: ResolvedService, keyOf: (service: string) => string): boolean {
    if (this.#records.size === 0) return false
    return virtualsOf(service).some(virtual => this.#records.has(keyOf(keyAsWritten(virtual))))
  }

  /** A record has the first address of its service, which may be a further one now. */
  #takeOf(service: ResolvedService, keyOf: (service: string) => string): RememberedHealth | null {
    // The key of each check and server is long to make.
    if (this.#records.size === 0) return null
    for (const virtual of virtualsOf(service)) {
      const key = keyOf(keyAsWritten(virtual))
      const record = this.#records.get(key)
      this.#records.delete(key)
      if (record) return record
    }
    return null
  }
}

/** Returns the state for the next run. States that are not known yet are written as they were before the restart. */
export function* written(source: HealthSource, now: number): Generator<Written> {
  for (const service of source.services) {
    const known = source.trafficOf(service)
    if (known)
      yield {
        key: keyAsWritten(service.virtual),
        state: known.has ? 'up' : 'down',
        age: Math.round(now - known.since),
      }
    for (const real of service.reals) {
      const standing = source.standingOf(real)
      const { state, since } = (standing?.state === 'unknown' && standing.remembered) || standing || UNKNOWN
      const checks = source.checkStatesOf(real).flatMap(checkState => writtenCheck(checkState, now))
      if (isKnown(state) || checks.length > 0)
        yield {
          key: keyOfServer(keyAsWritten(service.virtual), real),
          state,
          age: Math.round(now - since),
          checks,
        }
    }
  }
}

const UNKNOWN = { state: 'unknown', since: 0 } as const

function writtenCheck(
  { subscriber, health, lastAt, remembered }: CheckState,
  now: number,
): readonly WrittenCheck[] {
  const known =
    health.state === 'unknown' ? remembered : { ...health, lastAt: lastAt === NO_RESULT ? null : lastAt }
  if (!known) return []
  return [
    {
      key: keyOfCheck(subscriber),
      state: known.state,
      age: Math.round(now - known.since),
      lastAge: known.lastAt === null ? null : Math.round(now - known.lastAt),
      last: known.last && lastOf(known.last),
    },
  ]
}

function isKnown(state: unknown): state is 'up' | 'down' {
  return state === 'up' || state === 'down'
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('no key')
  return value
}

function lastOf({ ok, reason, detail, phase, ms }: CheckResult): NonNullable<WrittenCheck['last']> {
  return [ok === true, reason, detail, phase, Math.round(ms)]
}

function resultOf([ok, reason, detail, phase, ms]: NonNullable<WrittenCheck['last']>): CheckResult {
  return { ok: ok === true, reason, detail: String(detail), phase, ms: Number(ms), phases: [] }
}

/** `service`: `keyAsWritten` of its address. */
function keyOfServer(service: string, { host, port }: Pick<ResolvedReal, 'host' | 'port'>): string {
  return `${service} ${endpoint(host, port)}`
}

/** A checksum of the options, because they may contain passwords. */
function keyOfCheck(subscriber: Subscriber): string {
  return `${subscriber.use.kind} ${crc32(wholeQuestion(subscriber)).toString(36)}`
}
