/** Reads the kernel's table, or its services alone, again and again, and decodes only what has changed since the last time. */
import {
  familyOf,
  keyOfReal,
  keyOfService,
  type ServiceId,
  type TableReal,
  type TableService,
} from '../core/model.js'
import { CostMeter } from '../util/cost-meter.js'
import { eachInSteps, LONG_STEP, runSliced, type Sliced } from '../util/time-slice.js'
import { wakeCost } from '../util/wake-cost.js'
import { ask, type IpvsConnection, LONG_READING } from './ask.js'
import { counters, levels } from './attributes.js'
import { decodeReal, decodeService, encodeServiceId } from './codec.js'
import type { Look, ServicesLook } from './kernel.js'
import { levelWithout, SteadyWords } from './steady-words.js'

const serviceLevel = levelWithout(levels.service, counters.service)
const destLevel = levelWithout(levels.dest, counters.dest)

type Attributes = Omit<TableService, 'reals'>

interface Seen {
  readonly words: SteadyWords<typeof levels.dest>
  readonly attributes: Attributes
  readonly service: TableService
}

/** Milliseconds that a look takes of one turn at most. */
const TURN = 5
/** Entries of services that are read in one step. */
const STEP = 128

export class TableLook {
  readonly #connection: IpvsConnection
  readonly #wake = wakeCost()
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
    const table = await runSliced(metered(this.#reading(), meter), TURN)
    return { table, cost: this.#wake + meter.total }
  }

  readServices(): ServicesLook {
    const meter = new CostMeter()
    meter.start()
    const services = this.#readServices()
    meter.stop()
    return { services, cost: this.#wake + meter.total }
  }

  *#reading(): Sliced<Look['table']> {
    const seen = new Map<string, Seen>()
    const table = new Map<string, TableService>()
    let sinceRest = 0
    for (const [key, attributes] of this.#readServices()) {
      const one = yield* this.#readReals(key, attributes)
      seen.set(key, one)
      table.set(key, one.service)
      sinceRest += 1 + one.words.count
      if (sinceRest < STEP) continue
      sinceRest = 0
      yield
    }
    this.#seen = seen
    return table
  }

  #readServices(): ReadonlyMap<string, Attributes> {
    const { services: words } = this.#scratch
    ask(this.#connection, 'read the services of the IPVS table', () =>
      this.#connection.scan({ command: 'GET_SERVICE', values: {} }, words.visitor()),
    )
    if (words.equals(this.#words)) return this.#services
    const decoded = words.decode().flatMap(values => decodeService(values) ?? [])
    this.#services = new Map(decoded.map(({ id, service }) => [keyOfService(id), { id, ...service }]))
    this.#words = words.kept()
    return this.#services
  }

  *#readReals(key: string, attributes: Attributes): Sliced<Seen> {
    const { reals: words } = this.#scratch
    const { id } = attributes
    const known = this.#seen.get(key)
    if (known && known.words.count >= LONG_READING) yield LONG_STEP
    ask(this.#connection, `read the real servers of ${key}`, () =>
      this.#connection.scan(
        { command: 'GET_DEST', values: { SERVICE: encodeServiceId(id) } },
        words.visitor(),
      ),
    )
    const isSame = known?.words.equals(words) ?? false
    if (known && isSame && known.attributes === attributes) return known
    const own = words.kept()
    const reals = known && isSame ? known.service.reals : yield* decodingReals(id, own)
    return { words: own, attributes, service: { ...attributes, reals } }
  }
}

function* decodingReals(
  id: ServiceId,
  words: SteadyWords<typeof levels.dest>,
): Sliced<TableService['reals']> {
  const reals = new Map<string, TableReal>()
  const family = familyOf(id)
  yield* eachInSteps(yield* words.decoding(), values => {
    const real = decodeReal(family, values)
    reals.set(keyOfReal(real), real)
  })
  return reals
}

/** Measures the steps and not what runs between them. */
function* metered<T>(work: Sliced<T>, meter: CostMeter): Sliced<T> {
  for (;;) {
    meter.start()
    const step = work.next()
    meter.stop()
    if (step.done) return step.value
    yield step.value
  }
}
