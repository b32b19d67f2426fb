/** Describes what a new configuration changes: counts and names, for people. Pure. */
import { isSameValue } from '../util/same-value.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import { endpoint } from './address.js'
import { type Config, keyAsWritten, keyOfMember, type Real, type Service, type Settings } from './model.js'
import { unsharedIn } from './shared-config.js'

export interface Count {
  readonly added: number
  readonly changed: number
  readonly removed: number
}

export interface ConfigChanges {
  readonly services: Count
  readonly reals: Count
  /** Names the first of both, `web: +[2001:db8::1]:80, -[2001:db8::2]:80; -mail`; empty if none has changed. */
  readonly named: string
  /** Names of the settings that differ, as the file has them: `removal-limit`. */
  readonly settings: readonly string[]
}

type Services = Pick<Config, 'services'>

/** Counts the differences. A service is identified by its virtual address, a real server by service, host and port. */
export function configChanges(before: Config, after: Config): ConfigChanges {
  return runSync(countingChanges(before, after))
}

/** Same as `configChanges`, in time slices. */
export function* countingChanges(before: Config, after: Config): Sliced<ConfigChanges> {
  const [old, now] = unsharedOf(before, after)
  const changed = new ChangedNames()
  const services = yield* countingBetween(servicesOf(old), servicesOf(now), (sign, { service }) =>
    changed.service(sign, service),
  )
  const reals = yield* countingBetween(yield* realsOf(old), yield* realsOf(now), (sign, { service, value }) =>
    changed.real(sign, service, value),
  )
  return { services, reals, named: changed.text(), settings: changedSettings(before, after) }
}

function changedSettings(before: Config, after: Config): string[] {
  const [old, now] = [partsOf(before), partsOf(after)]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter(key => !isSameValue(old[key], now[key]))
    .map(asWritten)
    .sort()
}

/** The name of a setting as the file has it. */
function asWritten(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** Settings that are read at the start of lvsd only. */
const AT_THE_START = [
  'concurrency',
  'engine',
  'logLevel',
  'socket',
  'state',
  'timeouts',
] as const satisfies readonly (keyof Settings)[]

/** Names of the settings that count from the next start: read at the start only, and other than in `started`, which lvsd has started with. */
export function fromNextStart(started: Settings, now: Settings): string[] {
  return AT_THE_START.filter(key => !isSameValue(started[key], now[key])).map(asWritten)
}

/** Returns `engine, socket and state count from the next start of lvsd`. */
export function fromNextStartText(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  const listed = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last
  const isOne = names.length === 1 && last !== 'timeouts'
  return `${listed} ${isOne ? 'counts' : 'count'} from the next start of lvsd`
}

/** Returns the settings, and the parts of the file beside them and the services. */
function partsOf({ file: _, services: __, settings, ...parts }: Config): Readonly<Record<string, unknown>> {
  return { ...settings, ...parts }
}

/** Returns both without the services that are the same objects: only what is left can differ. */
function unsharedOf(before: Services, after: Services): readonly [Services, Services] {
  return [{ services: unsharedIn(before, after) }, { services: unsharedIn(after, before) }]
}

/** Returns `real servers +1 ~0 -0: web: +[2001:db8::1]:80; changed: cluster`, or `no service has changed`. */
export function changesText({ services, reals, named, settings }: ConfigChanges): string {
  const isAny = ({ added, changed, removed }: Count) => added + changed + removed > 0
  const inServices =
    !isAny(services) && !isAny(reals)
      ? 'no service has changed'
      : `${isAny(services) ? `services ${signed(services)}, ` : ''}real servers ${signed(reals)}: ${named}`
  return settings.length === 0 ? inServices : `${inServices}; changed: ${settings.join(', ')}`
}

function signed({ added, changed, removed }: Count): string {
  return `+${added} ~${changed} -${removed}`
}

/** Limit of services in one sentence, and of real servers per service. */
const MOST_NAMED = 5

/** Lists the real servers that `after` no longer has: `web: [2001:db8::1]:80, [2001:db8::2]:80; mail: all 4`. */
export function removedText(before: Services, after: Services): string {
  const [old, now] = unsharedOf(before, after)
  const kept = new Set(runSync(realsOf(now)).keys())
  const lost = old.services.flatMap(service => {
    const reals = service.reals.filter(real => !kept.has(memberKey(service, real)))
    return reals.length > 0 ? [`${service.name}: ${namesOf(reals, service)}`] : []
  })
  return limited(lost, 'services').join('; ')
}

function namesOf(reals: readonly Real[], { reals: all }: Service): string {
  if (reals.length === all.length && reals.length > 1) return `all ${reals.length}`
  const names = reals.map(placeOf)
  return limited(names, 'servers').join(', ')
}

function limited(texts: readonly string[], what: string): readonly string[] {
  const left = texts.length - MOST_NAMED
  return left > 1 ? [...texts.slice(0, MOST_NAMED), `${left} more ${what}`] : texts
}

type Sign = '+' | '~' | '-'

interface ChangedService {
  sign: Sign | null
  readonly service: Service
  /** By sign, those that are named; `counts` has all. */
  readonly reals: Map<Sign, Real[]>
  readonly counts: Map<Sign, number>
}

/** Names services and real servers that are added (+), changed (~) or removed (-), the first of them. */
class ChangedNames {
  readonly #services = new Map<string, ChangedService>()

  service(sign: Sign, service: Service): void {
    this.#of(service).sign = sign
  }

  real(sign: Sign, service: Service, real: Real): void {
    const { reals, counts } = this.#of(service)
    const count = counts.get(sign) ?? 0
    counts.set(sign, count + 1)
    if (count > MOST_NAMED) return
    const named = reals.get(sign)
    if (named) named.push(real)
    else reals.set(sign, [real])
  }

  text(): string {
    const found = [...this.#services.values()]
    const left = found.length - MOST_NAMED
    const named = left > 1 ? found.slice(0, MOST_NAMED) : found
    return [...named.map(changedText), ...(left > 1 ? [`${left} more services`] : [])].join('; ')
  }

  #of(service: Service): ChangedService {
    const key = keyAsWritten(service.virtual)
    const before = this.#services.get(key)
    if (before) return before
    const one = { sign: null, service, reals: new Map(), counts: new Map() }
    this.#services.set(key, one)
    return one
  }
}

/** Returns `+mail` and `-mail` without real servers, because all of them are; else `web: ~all 4` or `~web: +[2001:db8::1]:80`. */
function changedText({ sign, service, reals, counts }: ChangedService): string {
  const name = `${sign ?? ''}${service.name}`
  if (sign === '+' || sign === '-' || reals.size === 0) return name
  return `${name}: ${changedReals(service, reals, counts)}`
}

function changedReals(
  service: Service,
  reals: ReadonlyMap<Sign, readonly Real[]>,
  counts: ReadonlyMap<Sign, number>,
): string {
  const changed = counts.get('~') ?? 0
  if (changed > 1 && changed === service.reals.length && counts.size === 1) return `~all ${changed}`
  const named = [...reals].flatMap(([sign, some]) => some.map(real => `${sign}${placeOf(real)}`))
  const left = [...counts.values()].reduce((sum, count) => sum + count, 0) - MOST_NAMED
  return [
    ...(left > 1 ? named.slice(0, MOST_NAMED) : named),
    ...(left > 1 ? [`${left} more servers`] : []),
  ].join(', ')
}

/** What is compared of each item, with the service that it is in, by its key. */
type Values<T> = ReadonlyMap<string, { readonly service: Service; readonly value: T }>

function servicesOf({ services }: Services): Values<unknown> {
  return new Map(
    services.map(service => {
      const { reals: _, ...value } = service
      return [keyAsWritten(service.virtual), { service, value }]
    }),
  )
}

function* realsOf({ services }: Services): Sliced<Values<Real>> {
  const values = new Map<string, { service: Service; value: Real }>()
  for (const service of services)
    yield* eachInSteps(service.reals, value => {
      values.set(memberKey(service, value), { service, value })
    })
  return values
}

/** Calls `note` for each that is added, changed or removed, with what is there now, or was before. */
function* countingBetween<T>(
  before: Values<T>,
  after: Values<T>,
  note: (sign: Sign, item: { readonly service: Service; readonly value: T }) => void,
): Sliced<Count> {
  const count = { added: 0, changed: 0, removed: 0 }
  yield* eachInSteps(after, ([key, item]) => {
    const old = before.get(key)
    if (old && isSameValue(old.value, item.value)) return
    count[old ? 'changed' : 'added']++
    note(old ? '~' : '+', item)
  })
  yield* eachInSteps(before, ([key, item]) => {
    if (after.has(key)) return
    count.removed++
    note('-', item)
  })
  return count
}

function memberKey(service: Service, real: Real): string {
  return keyOfMember({ name: keyAsWritten(service.virtual) }, real)
}

function placeOf({ host, port }: Real): string {
  return endpoint(host, port)
}
