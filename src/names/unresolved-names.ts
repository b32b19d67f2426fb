/** Names whose addresses nobody knows yet, and what of the kernel's table may be theirs. Touches nothing outside. */
import type { Family } from '../core/address.js'
import {
  keyOfMember,
  keyOfReal,
  keyOfService,
  type ResolvedMember,
  type ResolvedService,
  type ServiceId,
  type Table,
  type TableReal,
} from '../core/model.js'
import { familyOfService, membersOf } from './lookup-requests.js'

/**
 * `asked`: there has been no answer yet. `unanswered`: the look-ups fail, or it is not believed yet that there is no
 * address.
 */
export type Doubt = 'asked' | 'unanswered'
export type Doubts = ReadonlyMap<ResolvedService | ResolvedMember, Doubt>

const NOBODY: ReadonlySet<string> = new Set()

/**
 * An entry of the table may be that of a name if it has the name's port and family, and is nobody else's. What somebody
 * else has been beside the name, in a configuration before, is not the name's either: it goes when it is removed.
 */
export class Doubtful {
  #doubts: Doubts = new Map()
  /** What is known to be others', by the name in doubt. */
  #others: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  #services: readonly ResolvedService[] = []

  /** Takes the services of a configuration with addresses. */
  follow(services: readonly ResolvedService[], doubts: Doubts): void {
    this.#doubts = doubts
    this.#services = services.filter(service => doubts.has(service))
    const others = new Map<string, ReadonlySet<string>>()
    const note = (key: string, known: readonly string[]) =>
      others.set(key, new Set([...(this.#others.get(key) ?? []), ...known]))
    if (doubts.size > 0) {
      const ids = services.flatMap(({ id }) => (id ? [keyOfService(id)] : []))
      for (const service of services) {
        if (doubts.has(service)) note(service.name, ids)
        const doubted = membersOf(service).filter(member => doubts.has(member))
        const known = doubted.length > 0 ? knownIn(service) : []
        for (const member of doubted) note(keyOfMember(service, member), known)
      }
    }
    this.#others = others
  }

  of(name: ResolvedService | ResolvedMember): Doubt | undefined {
    return this.#doubts.get(name)
  }

  /** Whether this entry of the service may be that of the member. */
  mayBe(service: ResolvedService, member: ResolvedMember, { address, port }: TableReal): boolean {
    if (!this.#doubts.has(member) || port !== member.port) return false
    const family = member.family ?? familyOfService(service)
    const others = this.#others.get(keyOfMember(service, member)) ?? NOBODY
    return isOf(family, address.family) && !others.has(keyOfReal({ address, port }))
  }

  /**
   * Keys of the services in the table that may be those of names: they are left as they are, with all that they have,
   * whoever made them.
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
