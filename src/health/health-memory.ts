/**
 * State that parts of lvsd restore after a restart: the time since when a server is in its state, and the elapsed times
 * of rules. It is for people and for these times only; the kernel's table and new results decide which servers are up.
 */
import { stat, utimes } from 'node:fs/promises'
import { type EntryForm, StateFile } from '../storage/state-file.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { waitAtMost } from '../util/with-timeout.js'

/**
 * A part that is remembered. Example:
 *
 *   memory.add({
 *     name: 'slow-start',
 *     snapshot: () => ramps.map(({ service, real, begun }) => ({ service, real, age: now() - begun })),
 *     restore: (value, ageMs) => {
 *       const { service, real, age } = value as Ramp
 *       begin(service, real, now() - (age + ageMs))
 *     },
 *   })
 *
 * Times are written as ages, because the steady clock of one process means nothing to the next.
 */
export interface MemorySection {
  /** Stable: the file has it. */
  readonly name: string
  /**
   * Returns plain JSON values, for example one for each real server; the file has a line for each. A generator is run in
   * slices, with the event loop in between: its ages are of one moment if it takes the time once, at its beginning.
   */
  snapshot(): Iterable<unknown>
  /**
   * Takes one value of an earlier run. All are restored before the first configuration is active. `ageMs` is the time
   * since the snapshot by the wall clock, never negative. May throw: then this value alone is left out.
   */
  restore(value: unknown, ageMs: number): void
}

export interface HealthMemoryParts {
  /** Null: nothing is remembered. */
  readonly path: string | null
  readonly log: Log
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  readonly alarm?: Clock['alarm']
}

interface Remembered {
  readonly section: string
  /** Time of the snapshot, milliseconds of the wall clock. */
  readonly at: number
  readonly value: unknown
}

const FORM: EntryForm<Remembered> = {
  name: 'health records',
  version: 1,
  read(value) {
    const { section, at, value: own } = value as Remembered
    if (typeof section !== 'string' || !Number.isFinite(at) || own === undefined)
      throw new Error('no health record')
    return { section, at, value: own }
  },
}

/** Milliseconds from a change to its write. */
const DELAY = 1000
/** The same for a change that the next run needs at once: a clock of a rule. */
const URGENT_DELAY = 100
/** A write is followed by a pause of this many times the time that it took: at most half a percent of a processor. */
const REST = 200
const LONGEST_REST = 60_000
/** The longest pause between a write and an urgent change. */
const URGENT_REST = 3000
/** Milliseconds between two notes that lvsd runs: the time of the file, so that the next start knows the length of the gap. */
const ALIVE = 60_000

export class HealthMemory {
  readonly #parts: HealthMemoryParts
  readonly #now: () => number
  readonly #alarm: Clock['alarm']
  readonly #sections = new Map<string, MemorySection>()
  #file: StateFile<Remembered> | null = null
  #lastRunAt: number | null = null
  #cancelWrite: (() => void) | null = null
  #cancelAlive = () => {}
  /** Milliseconds from the last write until the next one may begin, and the time of the last one. */
  #rest = DELAY
  #writtenAt = Number.NEGATIVE_INFINITY
  #isWriting = false
  #isChanged = false
  /** The pending change, or the pending write, is urgent. */
  #isUrgent = false
  #isClosed = false

  constructor(parts: HealthMemoryParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.#alarm = parts.alarm ?? systemClock.alarm
  }

  /** Adds a section; before `load`. */
  add(section: MemorySection): void {
    this.#sections.set(section.name, section)
  }

  /** Last known time of an earlier run, milliseconds of the wall clock; null without one. */
  get lastRunAt(): number | null {
    return this.#lastRunAt
  }

  /** Restores what earlier runs have left. A file that cannot be read is logged; lvsd then starts without it. */
  async load(): Promise<void> {
    const { path, log } = this.#parts
    if (path === null) return
    const touchedAt = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    )
    const { file, entries } = await StateFile.open({ path, form: FORM, log, alarm: this.#alarm })
    this.#file = file
    if (entries.length > 0) this.#restore(entries, touchedAt)
    this.#stayAlive()
  }

  /**
   * Says that a section has something else to write. It is written within seconds, or a minute where there is much. An
   * urgent change is written within a tenth of a second, or within 3 seconds where much has been written just before.
   */
  changed({ isUrgent = false } = {}): void {
    if (this.#file === null || this.#isClosed) return
    this.#isChanged = true
    if (isUrgent && !this.#isUrgent) {
      this.#isUrgent = true
      this.#cancelWrite?.()
      this.#cancelWrite = null
    }
    if (!this.#isWriting) this.#writeSoon()
  }

  /** Writes the last state. Resolves when it is written, when the write fails, or after `patience` milliseconds. */
  async close(patience: number): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelWrite?.()
    this.#cancelAlive()
    await waitAtMost(patience, this.#write())
    await this.#file?.close(patience)
  }

  #restore(entries: readonly Remembered[], touchedAt: number): void {
    const now = this.#now()
    const savedAt = Math.max(...entries.slice(0, 1).map(({ at }) => at))
    this.#lastRunAt = Math.min(Math.max(savedAt, touchedAt), now)
    for (const { section, at, value } of entries)
      try {
        this.#sections.get(section)?.restore(value, Math.max(0, now - at))
      } catch {
        // A value of another build is omitted. The other values are still useful.
      }
  }

  #writeSoon(): void {
    // The wall clock may have been set back.
    const elapsed = Math.max(0, this.#now() - this.#writtenAt)
    const wait = this.#isUrgent
      ? Math.max(URGENT_DELAY, Math.min(this.#rest, URGENT_REST) - elapsed)
      : Math.max(DELAY, this.#rest - elapsed)
    this.#cancelWrite ??= this.#alarm(wait, () => {
      this.#cancelWrite = null
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    this.#isChanged = false
    this.#isUrgent = false
    await this.#save()
    this.#isWriting = false
    if (this.#isChanged && !this.#isClosed) this.#writeSoon()
  }

  async #save(): Promise<void> {
    const { user, system } = process.cpuUsage()
    await this.#file?.saveSliced(this.#entries())
    const used = process.cpuUsage()
    // The duration includes checks that ran meanwhile, so a busy lvsd pauses longer.
    const cost = (used.user + used.system - user - system) / 1000
    this.#rest = Math.min(Math.max(cost * REST, URGENT_DELAY), LONGEST_REST)
    this.#writtenAt = this.#now()
  }

  *#entries(): Generator<Remembered> {
    for (const { name, snapshot } of this.#sections.values()) {
      const at = this.#now()
      for (const value of snapshot()) yield { section: name, at, value }
    }
  }

  #stayAlive(): void {
    const { path } = this.#parts
    this.#cancelAlive = this.#alarm(ALIVE, () => {
      const seconds = this.#now() / 1000
      // A missing file is written at the next change. The writer logs a file that it cannot write.
      if (path !== null) void utimes(path, seconds, seconds).catch(() => {})
      this.#stayAlive()
    })
  }
}
