/** Describes what a new configuration changes: counts and names, for people. Pure. */
import { isSameValue } from '../util/same-value.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
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
  const services = yield* countingBetween(servicesOf(old), servicesOf(now))
  const reals = yield* countingBetween(yield* realsOf(old), yield* realsOf(now))
  return { services, reals, settings: changedSettings(before, after) }
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

/** Returns `services +0 ~1 -0, real servers +2 ~0 -5; changed: cluster`, or `no service has changed`. */
export function changesText({ services, reals, settings }: ConfigChanges): string {
  const isAny = ({ added, changed, removed }: Count) => added + changed + removed > 0
  const inServices =
    !isAny(services) && !isAny(reals)
      ? 'no service has changed'
      : `${isAny(services) ? `services ${signed(services)}, ` : ''}real servers ${signed(reals)}`
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
  const names = reals.map(real => keyOfMember({ name: '' }, real).trimStart())
  return limited(names, 'servers').join(', ')
}

function limited(texts: readonly string[], what: string): readonly string[] {
  const left = texts.length - MOST_NAMED
  return left > 1 ? [...texts.slice(0, MOST_NAMED), `${left} more ${what}`] : texts
}

/** What is compared of each item, by its key. */
type Values = ReadonlyMap<string, unknown>

function servicesOf({ services }: Services): Values {
  return new Map(
    services.map(service => {
      const { reals: _, ...own } = service
      return [keyAsWritten(service.virtual), own]
    }),
  )
}

function* realsOf({ services }: Services): Sliced<Values> {
  const values = new Map<string, unknown>()
  for (const service of services)
    yield* eachInSteps(service.reals, real => {
      values.set(memberKey(service, real), real)
    })
  return values
}

function* countingBetween(before: Values, after: Values): Sliced<Count> {
  let [added, changed, removed] = [0, 0, 0]
  yield* eachInSteps(after, ([key, value]) => {
    if (!before.has(key)) added++
    else if (!isSameValue(before.get(key), value)) changed++
  })
  yield* eachInSteps(before.keys(), key => {
    if (!after.has(key)) removed++
  })
  return { added, changed, removed }
}

function memberKey(service: Service, real: Real): string {
  return keyOfMember({ name: keyAsWritten(service.virtual) }, real)
}
