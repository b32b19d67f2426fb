/** Reads the kernel's table again and again, and decodes only what has changed since the last time. */
import { setImmediate } from 'node:timers/promises'
import { familyOf, keyOfReal, keyOfService, type ServiceId, type TableService } from '../core/model.js'
import { CostMeter } from '../util/cost-meter.js'
import { ask, type IpvsConnection } from './ask.js'
import { counters, levels } from './attributes.js'
import { decodeReal, decodeService, encodeServiceId } from './codec.js'
import type { Look } from './kernel.js'
import { levelWithout, SteadyWords } from './steady-words.js'

const serviceLevel = levelWithout(levels.service, counters.service)
const destLevel = levelWithout(levels.dest, counters.dest)

type Attributes = Omit<TableService, 'reals'>

interface Seen {
  readonly words: SteadyWords<typeof levels.dest>
  readonly attributes: Attributes
  readonly service: TableService
}

/** Entries that are read before other work of lvsd gets a turn: some two milliseconds. */
const ENTRIES_IN_A_TURN = 1024

export class TableLook {
  readonly #connection: IpvsConnection
  readonly #scratch = {
    services: new SteadyWords(serviceLevel),
    reals: new SteadyWords(destLevel),
  }
  /** The services of the last look, and their bytes. */
  #services: ReadonlyMap<string, Attributes> = new Map()
  #words = new SteadyWords(serviceLevel)
  #seen = new Map<string, Seen>()

  constructor(connection: IpvsConnection) {
    this.#connection = connection
  }

  async read(): Promise<Look> {
    const meter = new CostMeter()
    meter.start()
    const seen = new Map<string, Seen>()
    const table = new Map<string, TableService>()
    let sinceRest = 0
    for (const [key, attributes] of this.#readServices()) {
      const one = this.#readReals(key, attributes)
      seen.set(key, one)
      table.set(key, one.service)
      sinceRest += 1 + one.words.count
      if (sinceRest < ENTRIES_IN_A_TURN) continue
      sinceRest = 0
      meter.stop()
      await setImmediate()
      meter.start()
    }
    this.#seen = seen
    meter.stop()
    return { table, cost: meter.total }
  }

  #readServices(): ReadonlyMap<string, Attributes> {
    const { services: words } = this.#scratch
    ask(this.#connection, 'read the services of the IPVS table', () =>
      this.#connection.scan({ command: 'GET_SERVICE', values: {} }, into(words)),
    )
    if (words.equals(this.#words)) return this.#services
    const decoded = words.decode().flatMap(values => decodeService(values) ?? [])
    this.#services = new Map(decoded.map(({ id, service }) => [keyOfService(id), { id, ...service }]))
    this.#words = words.kept()
    return this.#services
  }

  #readReals(key: string, attributes: Attributes): Seen {
    const { reals: words } = this.#scratch
    const { id } = attributes
    ask(this.#connection, `read the real servers of ${key}`, () =>
      this.#connection.scan({ command: 'GET_DEST', values: { SERVICE: encodeServiceId(id) } }, into(words)),
    )
    const known = this.#seen.get(key)
    const isSame = known?.words.equals(words) ?? false
    if (known && isSame && known.attributes === attributes) return known
    const reals = known && isSame ? known.service.reals : decodeReals(id, words)
    return { words: words.kept(), attributes, service: { ...attributes, reals } }
  }
}

function into(words: Pick<SteadyWords<typeof levels.dest>, 'clear' | 'add'>) {
  return {
    begin: () => words.clear(),
    visit: (data: Buffer, start: number, end: number) => words.add(data, start, end),
  }
}

function decodeReals(id: ServiceId, words: SteadyWords<typeof levels.dest>): TableService['reals'] {
  const reals = words.decode().map(values => decodeReal(familyOf(id), values))
  return new Map(reals.map(real => [keyOfReal(real), real]))
}
