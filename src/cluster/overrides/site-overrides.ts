/**
 * Overrides of operators, and their ends of maintenance windows, shared by the directors of a site. Each director has all of them and applies them whether or
 * not Redis can be reached. A change is written to Redis first, with the change that it replaces. While Redis is away, only a
 * change that is meant for this director alone is accepted; it is merged when Redis is back (core/site-entry.ts).
 *
 *   Redis   command             result
 *   there   any                 stored, then in force here; the other directors hear of it
 *   there   changed meanwhile   refused, with what has changed it; nothing of it is in force
 *   away    without `local`     refused; what is in force stays
 *   away    with `local`        in force here; merged when Redis is back, and a conflict is told
 */
import { randomBytes } from 'node:crypto'
import { changed, type Merged, mergeEntry } from '../../core/site-entry.js'
import type { CommandOverrides, Order } from '../../overrides/command-overrides.js'
import type { EarlyEnd } from '../../overrides/early-ends.js'
import type { WindowOverrides } from '../../overrides/window-overrides.js'
import { type EntryForm, StateFile } from '../../storage/state-file.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { harmless } from '../../util/foreign-text.js'
import { Poller } from '../../util/poller.js'
import type { EntryWrite, OverrideStore } from './override-store.js'
import {
  endedOrder,
  idOfEnd,
  isEnd,
  isOrder,
  isOver,
  isUnknown,
  type OverrideEntry,
  readEntry,
  type SharedOrder,
  type SharedValue,
} from './shared-value.js'

export interface SiteOverridesParts {
  readonly store: OverrideStore
  readonly commands: Pick<CommandOverrides, 'orders' | 'put' | 'remove'>
  readonly windows: Pick<WindowOverrides, 'ends' | 'end'>
  readonly log: Log
  /** False: there is no store, so this director's overrides are its own. */
  isOn(): boolean
  /** Identity of this director. */
  readonly director: string
  /** File of the entries; null: they end with the process. */
  readonly path: string | null
  /** `now` returns milliseconds of the wall clock. */
  readonly clock: Pick<Clock, 'now' | 'alarm'>
}

export type SiteOutcome =
  /** In force. `isKept`: on the disk of this director. `isLocal`: the other directors do not have it yet. */
  | { readonly kind: 'done'; readonly isKept: boolean; readonly isLocal: boolean }
  /** Others have changed these meanwhile. Nothing else has changed. */
  | { readonly kind: 'changed'; readonly by: readonly SharedValue[] }
  /** Redis cannot be reached, for this reason. */
  | { readonly kind: 'away'; readonly reason: string }

export interface SiteChange {
  /** On this director alone, if Redis cannot be reached. */
  readonly isLocal: boolean
  /** Who ends them; null: they are given. */
  readonly endedBy: string | null
}

interface Held extends OverrideEntry {
  readonly id: string
  /** False: the store may not have it. */
  readonly isStored: boolean
}

/** Milliseconds between two looks at the revision: a message may be lost. */
const LOOK_EVERY = 1000
/** Characters of a name in an event. */
const LONGEST_NAME = 200
/** Rounds of merging and writing in a row. More than one are needed only if others write at the same time. */
const MOST_ROUNDS = 10

export class SiteOverrides {
  readonly #parts: SiteOverridesParts
  readonly #looks: Poller
  readonly #held = new Map<string, Held>()
  #file: StateFile<Held> | null = null
  /** Of the store at the last look; null: it has to be read. */
  #revision: string | null = null
  #endNews = () => {}
  /** Looks and changes are made one after another. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: SiteOverridesParts) {
    this.#parts = parts
    this.#looks = new Poller('overrides of the site', () => this.look(), parts)
  }

  get isOn(): boolean {
    return this.#parts.isOn()
  }

  /** Number of changes that the other directors do not have yet. */
  get pending(): number {
    if (!this.isOn) return 0
    return [...this.#held.values()].filter(({ isStored }) => !isStored).length
  }

  /** Reads the entries of earlier runs. */
  async load(): Promise<void> {
    const { path, log, clock } = this.#parts
    if (path === null) return
    const { file, entries } = await StateFile.open({ path, form: HELD_FORM, log, alarm: clock.alarm })
    this.#file = file
    for (const entry of entries) this.#held.set(entry.id, entry)
  }

  /** Begins to hear what other directors change. */
  start(): void {
    this.#endNews = this.#parts.store.onNews(() => {
      this.#revision = null
      void this.#looks.now()
    })
    this.#looks.every(LOOK_EVERY)
  }

  async close(patience: number): Promise<void> {
    this.#endNews()
    await this.#looks.stop()
    await this.#file?.close(patience)
  }

  /** Gives these overrides, or ends them. */
  change(orders: readonly Order[], { isLocal, endedBy }: SiteChange): Promise<SiteOutcome> {
    const values = new Map(
      orders.map(({ id, target, override }) => {
        const value = { target, override, endedBy }
        return [id, endedBy === null ? value : endedOrder(value, this.#held.get(id)?.value)] as const
      }),
    )
    const { commands } = this.#parts
    return this.#change(values, isLocal, () =>
      endedBy === null ? commands.put(orders) : commands.remove(orders, endedBy),
    )
  }

  /** Ends these openings of windows. */
  endWindows(ends: readonly EarlyEnd[], { isLocal }: Pick<SiteChange, 'isLocal'>): Promise<SiteOutcome> {
    const values = new Map(ends.map(opening => [idOfEnd(opening), { opening }] as const))
    return this.#change(values, isLocal, () => this.#parts.windows.end(ends))
  }

  /** `apply` puts them in force here, and resolves to whether the disk has it. */
  #change(
    values: ReadonlyMap<string, SharedValue>,
    isLocal: boolean,
    apply: () => Promise<boolean>,
  ): Promise<SiteOutcome> {
    // What the operator may have seen. A look that is in progress may bring something else.
    const known = new Map([...values.keys()].map(id => [id, this.#held.get(id)?.change] as const))
    return this.#inTurn(async () => {
      const stored = await this.#store(values, known)
      if (stored.kind !== 'done' && !(stored.kind === 'away' && isLocal)) return stored
      if (stored.kind === 'away')
        for (const [id, value] of values) this.#hold(id, this.#next(id, value), false)
      const [isHeld, isKept] = await Promise.all([this.#keep(), apply()])
      return { kind: 'done', isKept: isHeld && isKept, isLocal: stored.kind === 'away' }
    })
  }

  /** Reads what the store has, if it has changed; merges, and writes what the store does not have. Never rejects. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.isOn) return
      try {
        this.#adopt()
        const isQuiet = this.#revision !== null && this.pending === 0
        if (isQuiet && (await this.#parts.store.revision()) === this.#revision) return
        await this.#mergeAll()
      } catch {
        // The connection tells why it cannot be used. Afterwards the store may have lost what it had.
        this.#revision = null
      }
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  // ---------------------------------------------------------------- changes

  /** Writes these to the store, unless others have changed them. `known`: the changes that the operator may know. */
  async #store(
    values: ReadonlyMap<string, SharedValue>,
    known: ReadonlyMap<string, string | undefined>,
  ): Promise<SiteOutcome> {
    try {
      // Without a look before it, a change that is kept here would be refused by the store.
      if (this.pending > 0) await this.#mergeAll()
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const by = this.#changedSince(known)
        if (by.length > 0) return { kind: 'changed', by }
        const entries = [...values].map(([id, value]) => [id, this.#next(id, value)] as const)
        const expected = (id: string) => this.#held.get(id)?.change ?? ''
        const refused = await this.#parts.store.write(
          entries.map(([id, entry]) => ({ id, expected: expected(id), entry })),
        )
        this.#revision = null
        if (refused.length === 0) {
          for (const [id, entry] of entries) this.#hold(id, entry, true)
          return { kind: 'done', isKept: true, isLocal: false }
        }
        // Others have changed them, or the store has lost what it had.
        await this.#mergeAll()
      }
      return { kind: 'away', reason: 'other directors change the same overrides all the time' }
    } catch (error) {
      this.#revision = null
      const by = this.#changedSince(known)
      return by.length > 0 ? { kind: 'changed', by } : { kind: 'away', reason: (error as Error).message }
    }
  }

  /** What this lvsd does not know counts as changed: nobody has seen it here. */
  #changedSince(known: ReadonlyMap<string, string | undefined>): readonly SharedValue[] {
    return [...known].flatMap(([id, change]) => {
      const held = this.#held.get(id)
      return held && (held.change !== change || isUnknown(held.value)) ? [held.value] : []
    })
  }

  #next(id: string, value: SharedValue): OverrideEntry {
    const { director, clock } = this.#parts
    const change = randomBytes(6).toString('base64url')
    return changed(this.#held.get(id), { change, by: director, at: clock.now(), value })
  }

  #hold(id: string, entry: OverrideEntry, isStored: boolean): void {
    this.#held.set(id, { ...entry, id, isStored })
  }

  #keep(): Promise<boolean> {
    return this.#file?.save([...this.#held.values()]) ?? Promise.resolve(true)
  }

  // ---------------------------------------------------------------- merging

  /** What operators did before there was a site is new to it. */
  #adopt(): void {
    const { commands, windows, clock } = this.#parts
    const now = clock.now()
    const adopt = (id: string, value: SharedValue, at: number) => {
      if (!this.#held.has(id) && !isOver({ value, at }, now))
        this.#hold(id, { ...this.#next(id, value), at }, false)
    }
    for (const { id, target, override } of commands.orders)
      adopt(id, { target, override, endedBy: null }, override.since)
    for (const opening of windows.ends) adopt(idOfEnd(opening), { opening }, opening.at)
  }

  async #mergeAll(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { revision, entries } = await this.#parts.store.read()
      const writes = this.#merge(entries)
      this.#revision = writes.length === 0 ? revision : null
      if (writes.length === 0) return
      const refused = await this.#parts.store.write(writes)
      if (refused.length > 0) continue
      for (const { id, entry } of writes)
        if (entry) this.#hold(id, entry, true)
        else this.#held.delete(id)
      await this.#keep()
    }
  }

  /** Merges all entries, puts in force what is new, and returns what the store has to get. */
  #merge(entries: ReadonlyMap<string, OverrideEntry>): readonly EntryWrite[] {
    const now = this.#parts.clock.now()
    const writes: EntryWrite[] = []
    const taken: Held[] = []
    let isNews = false
    for (const id of new Set([...entries.keys(), ...this.#held.keys()])) {
      const [held, stored] = [this.#held.get(id), entries.get(id)]
      if (held && !stored && isUnknown(held.value)) {
        // It is over, or lost: a director that knows what it is writes it again.
        isNews = this.#held.delete(id)
        continue
      }
      const isNewer = stored && isUnknown(stored.value) && !held?.past.includes(stored.change)
      const merged = mergeEntry(isNewer && held?.change !== stored.change ? undefined : held, stored)
      if (!merged) continue
      const { entry, isToWrite, isTaken } = merged
      const expected = stored?.change ?? ''
      if (isOver(entry, now)) {
        // Nobody needs to know of it any more.
        isNews ||= this.#held.delete(id)
        if (stored) writes.push({ id, expected, entry: null })
        continue
      }
      isNews ||= entry.change !== held?.change || held.isStored === isToWrite
      this.#hold(id, entry, !isToWrite)
      if (isToWrite) writes.push({ id, expected, entry })
      if (isTaken) taken.push({ id, ...entry, isStored: true })
      if (merged.lost) this.#tellConflict(merged)
    }
    this.#apply(taken, now)
    if (isNews) void this.#keep()
    return writes
  }

  #apply(taken: readonly Held[], now: number): void {
    const { commands, windows } = this.#parts
    this.#tellUnknown(taken.filter(({ value }) => isUnknown(value)))
    const orders = taken.flatMap(({ id, value }) =>
      isOrder(value) ? [{ endedBy: value.endedBy, order: { id, ...pick(value), missingSince: null } }] : [],
    )
    const isInForce = ({ endedBy, order: { override } }: (typeof orders)[number]) =>
      endedBy === null && (override.until === null || override.until > now)
    const given = orders.filter(isInForce).map(({ order }) => order)
    if (given.length > 0) void commands.put(given)
    for (const { endedBy, order } of orders) if (endedBy !== null) void commands.remove([order], endedBy)
    const ends = taken.flatMap(({ value }) => (isEnd(value) ? [value.opening] : []))
    if (ends.length > 0) void windows.end(ends)
  }

  /** One event for all of them: anybody with access to Redis may have written many. */
  #tellUnknown(taken: readonly Held[]): void {
    const [first] = taken
    if (!first) return
    this.#parts.log.warn(
      'override.unknown',
      { count: taken.length, override: short(first.id), director: short(first.by) },
      'a newer lvsd has written overrides that this one does not know: they are not in force here, and stay as they are',
    )
  }

  /** Two ends are none. */
  #tellConflict({ entry, lost }: Merged<SharedValue>): void {
    const { value } = entry
    if (!lost || !isOrder(value) || !isOrder(lost.value)) return
    if (value.endedBy !== null && lost.value.endedBy !== null) return
    const { target, override } = value
    // Both may be root: the director and the reason tell them apart.
    const says = ({ endedBy, override: { who, reason } }: SharedOrder, by: string) =>
      endedBy === null
        ? `given by ${who} on ${short(by)}${reason === '' ? '' : `: ${reason}`}`
        : `ended by ${endedBy} on ${short(by)}`
    this.#parts.log.warn(
      'override.conflict',
      {
        service: target.service,
        real: target.real ?? 'all',
        effect: override.effect.kind,
        counts: says(value, entry.by),
        lost: says(lost.value, lost.by),
      },
      'two directors changed the same override while they could not hear each other: the later change counts',
    )
  }
}

function short(text: string): string {
  return harmless(text.slice(0, LONGEST_NAME))
}

function pick({ target, override }: SharedOrder): Pick<Order, 'target' | 'override'> {
  return { target, override }
}

const HELD_FORM: EntryForm<Held> = {
  name: 'site-overrides',
  version: 1,
  read(value) {
    const { id, isStored } = value as Held
    if (typeof id !== 'string' || typeof isStored !== 'boolean') throw new Error('expected an id')
    return { ...readEntry(value), id, isStored }
  },
}
