/** Real servers whose address is not known, by name: whether they may be in service all the same. */
import { unclaimedIn } from '../core/desired.js'
import { kernelServicesOf } from '../core/kernel-services.js'
import { keyOfService, type ResolvedReal, type ResolvedService, type Table } from '../core/model.js'
import { Doubtful, type Doubts } from '../names/unresolved-names.js'

export class ServersInDoubt {
  readonly doubtful = new Doubtful()
  readonly #table: () => Table | null
  /** Service of each real server in doubt. */
  #services: ReadonlyMap<ResolvedReal, ResolvedService> = new Map()

  /** `table` returns the actual table, or null before the first read. */
  constructor(table: () => Table | null) {
    this.#table = table
  }

  /** Takes the next configuration, with the names without a known address. */
  follow(services: readonly ResolvedService[], doubts: Doubts): void {
    this.doubtful.follow(services, doubts)
    this.#services = doubtedIn(services, doubts)
  }

  /**
   * True if a server without a known address may be in service. Before the first answer, and before the table has been
   * read, this is assumed. Later the server counts as down if no entry of the actual table can belong to it.
   */
  isInDoubt(real: ResolvedReal): boolean {
    const service = this.#services.get(real)
    if (!service) return false
    const table = this.#table()
    if (this.doubtful.of(real) === 'asked' || this.doubtful.of(service) || table === null) return true
    return kernelServicesOf(service, real).some(one => {
      const held = one.id ? table.get(keyOfService(one.id)) : undefined
      return unclaimedIn(one, held).some(entry => this.doubtful.mayBe(one, real, entry))
    })
  }
}

function doubtedIn(
  services: readonly ResolvedService[],
  doubts: Doubts,
): ReadonlyMap<ResolvedReal, ResolvedService> {
  if (doubts.size === 0) return new Map()
  return new Map(
    services.flatMap(service =>
      service.reals.filter(real => doubts.has(real)).map(real => [real, service] as const),
    ),
  )
}
