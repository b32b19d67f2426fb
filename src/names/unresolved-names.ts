/**
 * Names in doubt (without a known address), and the entries of the actual table that may belong to them. Has no I/O.
 */
import type { Family } from '../core/address.js'
import { keysOfKernel } from '../core/kernel-services.js'
import {
  keyOfMember,
  keyOfReal,
  type ResolvedMember,
  type ResolvedService,
  type ServiceId,
  type Table,
  type TableReal,
} from '../core/model.js'
import { familyOfService, membersOf } from './lookup-requests.js'

/**
 * `asked`: no answer has arrived yet. `unanswered`: the look-ups fail, or the answer that there is no address has not
 * lasted long enough to take effect.
 */
export type Doubt = 'asked' | 'unanswered'
export type Doubts = ReadonlyMap<ResolvedService | ResolvedMember, Doubt>

const NOBODY: ReadonlySet<string> = new Set()

/**
 * Decides which entries of the actual table may belong to a name in doubt: those with its port and family that belong
 * to no other member. An entry that belonged to another member at any time during the doubt does not belong to the
 * name either, so it is removed together with that member.
 */
export class Doubtful {
  #doubts: Doubts = new Map()
  /** Keys of services or entries that belong to others, by the service or member in doubt. */
  #others: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  #services: readonly ResolvedService[] = []

  /** Takes the services of a configuration whose names are resolved as far as known. */
  follow(services: readonly ResolvedService[], doubts: Doubts): void {
    this.#doubts = doubts
    this.#services = services.filter(service => doubts.has(service))
    const others = new Map<string, ReadonlySet<string>>()
    const note = (key: string, known: readonly string[]) =>
      others.set(key, new Set([...(this.#others.get(key) ?? []), ...known]))
    if (doubts.size > 0) {
      const ids = services.flatMap(keysOfKernel)
      for (const service of services) {
        if (doubts.has(service)) note(service.name, ids)
        const further = (service.also ?? []).flatMap(({ fallback }) => fallback ?? [])
        const doubted = [...membersOf(service), ...further].filter(member => doubts.has(member))
        const known = doubted.length > 0 ? knownIn(service) : []
        for (const member of doubted) note(keyOfMember(service, member), known)
      }
    }
    this.#others = others
  }

  of(name: ResolvedService | ResolvedMember): Doubt | undefined {
    return this.#doubts.get(name)
  }

  /** True if this entry of the service may belong to the member. */
  mayBe(service: ResolvedService, member: ResolvedMember, { address, port }: TableReal): boolean {
    if (!this.#doubts.has(member) || port !== member.port) return false
    const family = member.family ?? familyOfService(service)
    const others = this.#others.get(keyOfMember(service, member)) ?? NOBODY
    return isOf(family, address.family) && !others.has(keyOfReal({ address, port }))
  }

  /**
   * Returns the keys of services in the table that may belong to services in doubt. They stay unchanged with all their
   * entries, whichever program created them.
   */
  untouched(table: Table): ReadonlySet<string> {
    if (this.#services.length === 0) return NOBODY
    const entries = [...table].filter(([key, { id }]) =>
      this.#services.some(service => this.#mayBeService(service, key, id)),
    )
    return new Set(entries.map(([key]) => key))
  }

  #mayBeService({ name, virtual }: ResolvedService, key: string, id: ServiceId): boolean {
    if (virtual.kind === 'fwmark' || id.kind === 'fwmark' || id.protocol !== virtual.protocol) return false
    return (
      isOf(virtual.family, id.address.family) && id.port === virtual.port && !this.#others.get(name)?.has(key)
    )
  }
}

function isOf(wanted: Family | null, family: Family): boolean {
  return wanted === null || wanted === family
}

function knownIn(service: ResolvedService): string[] {
  return membersOf(service).flatMap(({ address, port }) => (address ? [keyOfReal({ address, port })] : []))
}
