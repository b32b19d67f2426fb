/** Reports what other programs have changed in lvsd's services, and services that they change repeatedly. */
import { endpoint } from '../core/address.js'
import { diff } from '../core/diff.js'
import { type Dispute, Disputes } from '../core/disputes.js'
import { fallbacksOf, keysOfKernel } from '../core/kernel-services.js'
import {
  type Change,
  keyOfReal,
  keyOfService,
  type ResolvedService,
  type ServiceId,
  type Table,
} from '../core/model.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'

/** Milliseconds. Readings follow each other faster than that, and fewer count as readings without a foreign change. */
const QUIET_EVERY = 10_000

interface DriftReportParts {
  readonly journal: Pick<Journal, 'owned'>
  readonly log: Log
  /** True for services of lvsd's own, which are left out. */
  isInternal?(id: ServiceId): boolean
  /** The services of the configuration, whose names are told. What has none there is told by its key. */
  services?(): readonly ResolvedService[]
}

export class DriftReport {
  readonly #parts: DriftReportParts
  readonly #disputes = new Disputes()
  /** When a reading last counted for the disputes. */
  #lastCounted = 0

  constructor(parts: DriftReportParts) {
    this.#parts = parts
  }

  /** Services that another program changes repeatedly. */
  get disputes(): readonly Dispute[] {
    return this.#disputes.current
  }

  /**
   * Logs differences between the expected table and the table found, for owned services: another program made them.
   * Returns their number. `now`: milliseconds of the steady clock.
   */
  report(expected: Table, found: Table, now: number): number {
    const { journal, log, isInternal = () => false } = this.#parts
    const ours = (table: Table) =>
      new Map([...table].filter(([key, { id }]) => journal.owned.has(key) && !isInternal(id)))
    const drift = diff(ours(expected), ours(found), journal.owned)
    const names = drift.length > 0 ? this.#names() : null
    for (const change of drift) {
      const isKnown = this.#disputes.has(keyOfService(change.id))
      log[isKnown ? 'debug' : 'warn'](
        'drift.repaired',
        { ...changeFields(change), ...names?.of(change) },
        `drift: ${DRIFT[change.op]}; lvsd reverts the change${advice(change)}`,
      )
    }
    this.#count(drift, now)
    return drift.length
  }

  /** Counts a look that found no foreign change. */
  quiet(now: number): void {
    if (now - this.#lastCounted >= QUIET_EVERY) this.#count([], now)
  }

  /**
   * Logs when a dispute begins and when it ends: two directors of the same service revert each other's changes
   * endlessly.
   */
  #count(drift: readonly Change[], now: number): void {
    const { log } = this.#parts
    this.#lastCounted = now
    const counts = new Map<string, number>()
    for (const { id } of drift) counts.set(keyOfService(id), (counts.get(keyOfService(id)) ?? 0) + 1)
    const { begun, over } = this.#disputes.read(counts, now)
    if (begun.length + over.length === 0) return
    const names = this.#names()
    for (const { service, since, changes } of begun)
      log.error(
        'table.dispute',
        { service: names.service(service), changes, seconds: Math.round((now - since) / 1000) },
        'another program keeps changing this service, and lvsd reverts each change: stop the other director, or remove the service from the configuration of lvsd',
      )
    for (const { service, changes } of over)
      log.info(
        'table.dispute-over',
        { service: names.service(service), changes },
        'no other program changes this service any more',
      )
  }

  #names(): TableNames {
    return new TableNames(this.#parts.services?.() ?? [])
  }
}

/** The names that services and servers of the kernel's table have in the configuration. */
class TableNames {
  readonly #services: ReadonlyMap<string, ResolvedService>
  readonly #servers = new Map<ResolvedService, ReadonlyMap<string, string>>()

  constructor(services: readonly ResolvedService[]) {
    this.#services = new Map(
      services.flatMap(service => keysOfKernel(service).map(key => [key, service] as const)),
    )
  }

  /** Returns the name of a service with this key. */
  service(key: string): string {
    return this.#services.get(key)?.name ?? key
  }

  /** Returns the fields `service` and `real` of a change. */
  of(change: Change): { service: string; real?: string } {
    const { service: key, real } = changeFields(change)
    const service = this.#services.get(key)
    if (!service) return { service: key, ...(real && { real }) }
    return { service: service.name, ...(real && { real: this.#serversOf(service).get(real) ?? real }) }
  }

  #serversOf(service: ResolvedService): ReadonlyMap<string, string> {
    const before = this.#servers.get(service)
    if (before) return before
    const servers = new Map<string, string>()
    for (const { host, address, port } of [...fallbacksOf(service), ...service.reals])
      if (address) servers.set(keyOfReal({ address, port }), endpoint(host, port))
    this.#servers.set(service, servers)
    return servers
  }
}

const DRIFT: Readonly<Record<Change['op'], string>> = {
  'add-service': 'the virtual service was deleted by another program',
  'set-service': 'the virtual service was changed by another program',
  'delete-service': 'the virtual service was added by another program',
  'add-real': 'the real server was deleted by another program',
  'set-real': 'the real server was changed by another program',
  'delete-real': 'the real server was added by another program',
}

/** Returns a hint on how to drain a server with lvsd, if another program (an operator) set its weight to 0. Else ''. */
function advice(change: Change): string {
  const isDrained = change.op === 'set-real' && change.was.weight === 0 && change.real.weight > 0
  return isDrained ? ' (to drain it: weight: 0 and a reload, or a file in maintenancedir)' : ''
}

interface ChangeFields {
  service: string
  real?: string
  weight?: number | string
}

/** Returns the fields of a log line about a change. */
export function changeFields(change: Change): ChangeFields {
  const fields: ChangeFields = { service: keyOfService(change.id) }
  if ('real' in change) fields.real = keyOfReal(change.real)
  else if (change.op === 'delete-real') fields.real = keyOfReal(change.was)
  if (change.op === 'set-real') fields.weight = `${change.was.weight} -> ${change.real.weight}`
  else if (change.op === 'add-real') fields.weight = change.real.weight
  return fields
}
