/**
 * Overrides that operators give by commands. They survive reloads, restarts and reboots, stay with a real server when its
 * service is renamed, and end by a command or at their end time.
 */
import { virtualsOf } from '../core/kernel-services.js'
import { type Config, keyAsWritten, keyOfMember, MAX_WEIGHT, type Real, type Service } from '../core/model.js'
import { drainAfter, type Effect, isInForce, type Override } from '../core/override.js'
import { type EntryForm, StateFile } from '../storage/state-file.js'
import { moment, text, whole } from '../storage/stored-values.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'

/** A real server of a service, or all servers of the service. */
export interface Target {
  /** The name of the service. */
  readonly service: string
  /** Identifies the service independently of its name: `tcp [2001:db8::80]:80`. */
  readonly key: string
  /** `[2001:db8::1]:80`, `web1.example:80`; null: all of them, those of a later configuration included. */
  readonly real: string | null
}

/** An override and its target. */
export interface Order {
  /** Stays the same when the target moves with its service: what several directors call this override. */
  readonly id: string
  readonly target: Target
  readonly override: Override
  /** Since when the configuration does not have the target, milliseconds of the wall clock; null where it has. */
  readonly missingSince: number | null
}

export interface CommandOverridesParts {
  /** Null: they end with the process. */
  readonly path: string | null
  readonly log: Log
  /** Other overrides are in force than before. */
  onChange(): void
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  readonly alarm?: Clock['alarm']
}

const DAY = 86_400_000
/** Milliseconds for which an override is kept whose target the configuration does not have. */
const KEEP_MISSING = DAY
/** Milliseconds after which the ends are looked at again, since the wall clock may be set. */
const LONGEST_ALARM = 60_000

export class CommandOverrides {
  readonly #parts: CommandOverridesParts
  readonly #now: () => number
  readonly #alarm: Clock['alarm']
  #file: StateFile<Order> | null = null
  #orders: readonly Order[] = []
  /** The services of the last configuration; null before the first. */
  #services: readonly Service[] | null = null
  #cancelAlarm = () => {}
  #isClosed = false

  constructor(parts: CommandOverridesParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.#alarm = parts.alarm ?? systemClock.alarm
  }

  /** Reads what earlier runs have left, before any override is given. A file that cannot be read is logged. */
  async load(): Promise<void> {
    const { path, log } = this.#parts
    if (path === null) return
    const { file, entries } = await StateFile.open({ path, form: ORDER_FORM, log, alarm: this.#alarm })
    this.#file = file
    this.#orders = entries
    this.#endDue()
  }

  /** All that are in force, in the order in which they were given. */
  get orders(): readonly Order[] {
    return this.#orders
  }

  /** What operators want of this server: of itself, and of its service as a whole. */
  of(service: Service, real: Real): readonly Override[] {
    return this.#orders.flatMap(order => (isFor(order.target, service, real) ? [order.override] : []))
  }

  /**
   * Puts an override on each target; one with the same effect on the same target is replaced. Resolves to whether all
   * are on the disk. They are in force in any case.
   */
  give(targets: readonly Target[], override: Override): Promise<boolean> {
    return this.put(this.prepared(targets, override))
  }

  /** Returns what `give` would put in force. */
  prepared(targets: readonly Target[], override: Override): readonly Order[] {
    const now = this.#now()
    return targets.map(target => {
      const before = this.#orders.filter(order => isReplacedBy(order, { target, override }))
      const effect = drainAfter(
        override.effect,
        before.map(order => order.override),
        now,
      )
      const id = before[0]?.id ?? this.#freeId(target, override)
      return { id, target, override: { ...override, effect }, missingSince: null }
    })
  }

  /** Puts these in force; those with the same id, or the same effect on the same target, are replaced. As `give`. */
  put(orders: readonly Order[]): Promise<boolean> {
    const now = this.#now()
    const services = this.#services
    const placed = orders.map(order =>
      services ? this.#followed(order, located(order, services), now) : order,
    )
    const rest = this.#orders.filter(
      order => !placed.some(one => one.id === order.id || isReplacedBy(order, one)),
    )
    return this.#take([...rest, ...placed])
  }

  /** Ends the overrides with these effects on these very targets. Returns those, and whether the disk has it. */
  end(
    targets: readonly Target[],
    effects: readonly Effect['kind'][],
    by: string,
  ): { readonly ended: readonly Order[]; readonly isKept: Promise<boolean> } {
    const ended = this.having(targets, effects)
    return { ended, isKept: this.remove(ended, by) }
  }

  /** Returns the overrides with these effects on these very targets. */
  having(targets: readonly Target[], effects: readonly Effect['kind'][]): readonly Order[] {
    return this.#orders.filter(
      ({ target, override }) =>
        effects.includes(override.effect.kind) && targets.some(one => isSame(one, target)),
    )
  }

  /** Ends these, by their ids, and logs that `by` has. Resolves to whether the disk has it. */
  remove(orders: readonly Order[], by: string): Promise<boolean> {
    const ids = new Set(orders.map(({ id }) => id))
    const ended = this.#orders.filter(({ id }) => ids.has(id))
    if (ended.length === 0) return this.#file?.save(this.#orders) ?? Promise.resolve(true)
    for (const order of ended)
      this.#parts.log.info(
        'override.ended-early',
        { ...fieldsOf(order), by },
        'an operator has ended an override',
      )
    return this.#take(this.#orders.filter(({ id }) => !ids.has(id)))
  }

  /** Takes over a configuration: names of services that changed, targets that went or came back. */
  follow({ services }: Config): void {
    const now = this.#now()
    const before = this.#services && new Set(this.#services.map(({ virtual }) => keyAsWritten(virtual)))
    this.#services = services
    const followed = this.#orders.map(order => this.#followed(order, located(order, services, before), now))
    if (followed.some((order, i) => order !== this.#orders[i])) void this.#take(followed)
    this.#endDue()
  }

  async close(patience: number): Promise<void> {
    this.#isClosed = true
    this.#cancelAlarm()
    await this.#file?.close(patience)
  }

  #followed(order: Order, next: Target | null, now: number): Order {
    const { target, missingSince } = order
    if (!next) return missingSince === null ? this.#lost(order, now) : order
    if (missingSince === null && next.service === target.service && isSame(next, target)) return order
    return { ...order, target: next, missingSince: null }
  }

  #lost(order: Order, now: number): Order {
    this.#parts.log.warn(
      'override.unmatched',
      fieldsOf(order),
      'the configuration no longer has the target of an override; the override is kept for a day',
    )
    return { ...order, missingSince: now }
  }

  /** Another override may have the usual id, and have moved away with its service. */
  #freeId(target: Target, { effect }: Override): string {
    const usual = usualId(target, effect)
    const taken = new Set(this.#orders.map(({ id }) => id))
    for (let i = 1; ; i++) {
      const id = i === 1 ? usual : `${usual} ${i}`
      if (!taken.has(id)) return id
    }
  }

  #take(orders: readonly Order[]): Promise<boolean> {
    this.#orders = orders
    const isKept = this.#file?.save(orders) ?? Promise.resolve(true)
    this.#setAlarm()
    this.#parts.onChange()
    return isKept
  }

  /** Ends those whose time is over, for good: a wall clock that is set back brings none of them back. */
  #endDue(): void {
    const now = this.#now()
    const isOver = (order: Order) => endOf(order) <= now
    const over = this.#orders.filter(isOver)
    for (const order of over)
      if (isInForce(order.override, now))
        this.#parts.log.warn(
          'override.forgotten',
          fieldsOf(order),
          'an override is forgotten: the configuration has not had its target for a day',
        )
      else this.#parts.log.info('override.ended', fieldsOf(order), 'an override has come to its end')
    if (over.length > 0) void this.#take(this.#orders.filter(order => !isOver(order)))
    else this.#setAlarm()
  }

  #setAlarm(): void {
    this.#cancelAlarm()
    if (this.#isClosed) return
    const next = this.#orders.reduce(
      (first, order) => Math.min(first, endOf(order)),
      Number.POSITIVE_INFINITY,
    )
    if (next === Number.POSITIVE_INFINITY) return
    const wait = Math.max(0, Math.min(next - this.#now(), LONGEST_ALARM))
    this.#cancelAlarm = this.#alarm(wait, () => this.#endDue())
  }
}

function usualId({ key, real }: Target, { kind }: Effect): string {
  return `${key} ${real ?? 'all'} ${kind}`
}

function isReplacedBy(order: Order, next: Pick<Order, 'target' | 'override'>): boolean {
  return order.override.effect.kind === next.override.effect.kind && isSame(order.target, next.target)
}

/** Milliseconds of the wall clock; infinity where it has no end. */
function endOf({ override, missingSince }: Order): number {
  const forgotten = missingSince === null ? Number.POSITIVE_INFINITY : missingSince + KEEP_MISSING
  return Math.min(override.until ?? Number.POSITIVE_INFINITY, forgotten)
}

/**
 * Finds the service of an order: by its key, because two services may have exchanged their names; else by its name,
 * because its address may have changed. A service that was there before under another name is not meant by its name.
 * `before`: keys of the services of the last configuration; null after a start. The order was then without its target
 * in the same configuration, so it gets one by the key alone.
 */
function serviceOf(
  { target, missingSince }: Order,
  services: readonly Service[],
  before: ReadonlySet<string> | null,
): Service | undefined {
  const isNew = ({ virtual }: Service) =>
    before ? !before.has(keyAsWritten(virtual)) : missingSince === null
  return (
    services.find(service => keyAsWritten(service.virtual) === target.key) ??
    services.find(service => service.also && isAlso(service, target)) ??
    services.find(service => service.name === target.service && isNew(service))
  )
}

/**
 * True if the target has a further address of the service. An order on a whole service that has become an address of
 * another one is not for that one as a whole.
 */
function isAlso(service: Service, { key, real, service: name }: Target): boolean {
  if (real === null && service.name !== name) return false
  return virtualsOf(service).some(one => keyAsWritten(one) === key)
}

/** Returns the target of the order in these services, under another name or key perhaps; null: it is not there. */
export function located(
  order: Order,
  services: readonly Service[],
  before: ReadonlySet<string> | null = null,
): Target | null {
  const service = serviceOf(order, services, before)
  const { real } = order.target
  if (!service || (real !== null && !service.reals.some(one => nameOfReal(one) === real))) return null
  return { service: service.name, key: keyAsWritten(service.virtual), real }
}

export function isFor(target: Target, service: Service, real: Real): boolean {
  if (target.real !== null && target.real !== nameOfReal(real)) return false
  return target.key === keyAsWritten(service.virtual)
}

function isSame(a: Target, b: Target): boolean {
  return a.key === b.key && a.real === b.real
}

/** `[2001:db8::1]:80`, `web1.example:80`: what a real server is called in its service. */
export function nameOfReal(real: Pick<Real, 'host' | 'port'>): string {
  return keyOfMember({ name: '' }, real).trimStart()
}

export function targetOf(service: Service, real: Real | null): Target {
  return { service: service.name, key: keyAsWritten(service.virtual), real: real && nameOfReal(real) }
}

function fieldsOf({ target, override }: Order) {
  const { effect, who, reason } = override
  return {
    service: target.service,
    real: target.real ?? 'all',
    effect: effect.kind,
    who,
    ...(reason !== '' && { reason }),
  }
}

const EFFECTS: ReadonlySet<string> = new Set<Effect['kind']>([
  'force-down',
  'disable',
  'drain',
  'weight',
  'force-up',
])

/** How the state folder has them. */
export const ORDER_FORM: EntryForm<Order> = {
  name: 'overrides',
  version: 1,
  read(value) {
    const { id, target: given, override: told, missingSince } = value as Order
    const target = {
      service: text(given.service),
      key: text(given.key),
      real: given.real === null ? null : text(given.real),
    }
    const override: Override = {
      effect: effectOf(told.effect),
      source: 'command',
      who: text(told.who),
      reason: text(told.reason),
      since: moment(told.since),
      until: told.until === null ? null : moment(told.until),
    }
    return {
      // Files of builds before several directors shared overrides have no ids.
      id: id === undefined ? usualId(target, override.effect) : text(id),
      target,
      override,
      missingSince: missingSince === null ? null : moment(missingSince),
    }
  },
}

function effectOf(effect: Effect): Effect {
  if (!EFFECTS.has(effect.kind)) throw new Error(`no effect: ${effect.kind}`)
  if (effect.kind === 'weight') return { kind: 'weight', weight: whole(effect.weight, MAX_WEIGHT) }
  if (effect.kind !== 'drain' || !effect.ramp) return { kind: effect.kind }
  return { kind: 'drain', ramp: { since: moment(effect.ramp.since), ms: whole(effect.ramp.ms, DAY) } }
}
