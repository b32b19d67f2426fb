/**
 * Openings of maintenance windows that operators have ended early. They survive reloads, restarts and reboots, and count
 * for this one opening only.
 */
import { keyAsWritten, type Real, type Service } from '../core/model.js'
import type { EndedOpening } from '../core/window.js'
import { type EntryForm, readStateFile, StateFile } from '../storage/state-file.js'
import { moment, text } from '../storage/stored-values.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { isFor, type Target } from './command-overrides.js'

/** An opening that is over for its target. */
export interface EarlyEnd extends EndedOpening {
  readonly target: Target
  readonly who: string
  /** When it was ended, milliseconds of the wall clock. */
  readonly at: number
}

export interface EarlyEndsParts {
  /** Null: they end with the process. */
  readonly path: string | null
  readonly log: Log
  readonly now: () => number
  readonly alarm: Clock['alarm']
}

/** Milliseconds for which an entry is kept after the end of its opening: the clock may be set back, the window made longer. */
const KEEP = 86_400_000

export class EarlyEnds {
  readonly #parts: EarlyEndsParts
  #file: StateFile<EarlyEnd> | null = null
  #entries: readonly EarlyEnd[] = []

  constructor(parts: EarlyEndsParts) {
    this.#parts = parts
  }

  /** Reads what earlier runs have left. */
  async load(): Promise<void> {
    const { path, log, alarm } = this.#parts
    if (path === null) return
    const { file, entries } = await StateFile.open({ path, form: EARLY_END_FORM, log, alarm })
    this.#file = file
    this.#entries = entries
  }

  get entries(): readonly EarlyEnd[] {
    return this.#entries
  }

  /** Adds entries, and forgets those of the past. Resolves to whether all are on the disk. They count in any case. */
  add(entries: readonly EarlyEnd[]): Promise<boolean> {
    const now = this.#parts.now()
    this.#entries = [...this.#entries.filter(({ end }) => now < end + KEEP), ...entries]
    return this.#file?.save(this.#entries) ?? Promise.resolve(true)
  }

  async close(patience: number): Promise<void> {
    await this.#file?.close(patience)
  }
}

/** Returns the entries for a real server of a service, or for the whole service (`real` null). */
export function earlyEndsFor(
  entries: readonly EarlyEnd[],
  service: Service,
  real: Real | null,
): readonly EarlyEnd[] {
  if (entries.length === 0) return entries
  return entries.filter(({ target }) =>
    real
      ? isFor(target, service, real)
      : target.real === null && target.key === keyAsWritten(service.virtual),
  )
}

/** Returns the path of the file beside that of the overrides. */
export function earlyEndsPath(overridesPath: string): string {
  return overridesPath.replace(/(?:overrides)?(\.json)?$/, 'windows$1')
}

/** Returns the stored entries; none where there is no file. Rejects if it cannot be read. */
export function readEarlyEnds(overridesPath: string): Promise<readonly EarlyEnd[]> {
  return readStateFile(earlyEndsPath(overridesPath), EARLY_END_FORM)
}

/** How the state folder has them. */
export const EARLY_END_FORM: EntryForm<EarlyEnd> = {
  name: 'windows',
  version: 1,
  read(value) {
    const { target, window, begin, end, who, at } = value as EarlyEnd
    return {
      target: {
        service: text(target.service),
        key: text(target.key),
        real: target.real === null ? null : text(target.real),
      },
      window: text(window),
      begin: moment(begin),
      end: moment(end),
      who: text(who),
      at: moment(at),
    }
  },
}
