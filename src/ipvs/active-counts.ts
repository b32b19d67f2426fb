/** Reads how many connections the real servers of a service have and had, and decodes only what has changed. */
import { familyOf, keyOfReal, keyOfService, type ServiceId } from '../core/model.js'
import { ask, type IpvsConnection } from './ask.js'
import { levels } from './attributes.js'
import { decodeRealId, encodeServiceId } from './codec.js'
import { DestCounts } from './dest-counts.js'
import type { ActiveConnections } from './kernel.js'
import { levelWithout, SteadyWords } from './steady-words.js'

const IDENTITY = ['ADDR', 'PORT', 'ADDR_FAMILY']
const names = Object.keys(levels.dest)
const identityLevel = levelWithout(
  levels.dest,
  names.filter(name => !IDENTITY.includes(name)),
)
type Words = SteadyWords<typeof levels.dest>

interface Seen extends ActiveConnections {
  readonly identity: Words
  readonly values: DestCounts
}

/** Services that are remembered, so that changed configurations take no more and more memory. */
const MOST_SEEN = 4096

export class ActiveCounts {
  readonly #connection: IpvsConnection
  readonly #identity = new SteadyWords(identityLevel)
  readonly #values = new DestCounts()
  /** By the key of the service: those that are read again and again. */
  readonly #seen = new Map<string, Seen>()

  constructor(connection: IpvsConnection) {
    this.#connection = connection
  }

  read(id: ServiceId): ActiveConnections {
    const key = keyOfService(id)
    const [identity, values] = [this.#identity, this.#values]
    ask(this.#connection, `read the connections of ${key}`, () =>
      this.#connection.scan(
        { command: 'GET_DEST', values: { SERVICE: encodeServiceId(id) } },
        {
          begin() {
            identity.clear()
            values.clear()
          },
          visit(data, start, end) {
            identity.add(data, start, end)
            values.add(data, start, end)
          },
        },
      ),
    )
    const seen = this.#seen.get(key)
    const isSame = seen?.identity.equals(identity) ?? false
    if (seen && isSame && seen.values.equals(values)) return seen
    const kept = values.kept()
    const next = {
      identity: seen && isSame ? seen.identity : identity.kept(),
      reals: seen && isSame ? seen.reals : keysOf(id, identity),
      values: kept,
      counts: kept.active,
      flowOf: (place: number) => kept.flowOf(place),
    }
    // Services that have gone are not read any more.
    if (!seen && this.#seen.size >= MOST_SEEN) this.#seen.clear()
    this.#seen.set(key, next)
    return next
  }
}

function keysOf(id: ServiceId, identity: Words): readonly string[] {
  return identity.decode().map(values => keyOfReal(decodeRealId(familyOf(id), values)))
}
