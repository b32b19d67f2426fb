/**
 * A file of the state folder with entries of one form, such as overrides, which a restart reads again.
 *
 * The first line names the form, its version and the number of entries, each further line is one entry. Each line begins with a checksum. A damaged line
 * costs only its own entry. Before lvsd overwrites a file that it cannot read completely, it keeps a copy.
 */
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { runSliced, runSync, type Sliced } from '../util/time-slice.js'
import { waitAtMost } from '../util/with-timeout.js'
import { lineFor, lineOf } from './checked-line.js'
import { writeDurably } from './durable-file.js'
import { copyAside, readText, setAside } from './state-text.js'

/** Form of the entries of a file. */
export interface EntryForm<T> {
  /** `overrides` */
  readonly name: string
  /** It increases when older builds of lvsd would misread an entry. */
  readonly version: number
  /** Returns the entry of a JSON value. Throws if the value is not an entry. */
  read(value: unknown): T
}

export interface StateFileParts<T> {
  readonly path: string
  readonly form: EntryForm<T>
  readonly log: Log
  readonly write?: typeof writeDurably
  readonly alarm?: Clock['alarm']
}

/** Milliseconds between two tries to write what could not be written. */
const RETRY = 5000

export class StateFile<T> {
  readonly #path: string
  readonly #log: Log
  readonly #write: typeof writeDurably
  readonly #alarm: Clock['alarm']
  readonly #form: EntryForm<T>
  /** Desired content of the file, and its known content. */
  #wanted: string | null = null
  #held: string | null = null
  #writing: Promise<void> | null = null
  #isFailing = false
  #cancelRetry = () => {}
  #isClosed = false
  /** How often entries were given, and which of them are wanted. */
  #given = 0
  #wantedOf = 0
  /** Resolves when no text is being made any more. */
  #made: Promise<void> = Promise.resolve()

  /**
   * Reads the file; one that does not exist has no entries. Damaged entries are logged and left out; the file is kept
   * beside itself then (`.damaged`, or `.newer` where a newer lvsd wrote it). What cannot be read at all, such as a folder
   * in its place, is logged and renamed. Never rejects.
   */
  static async open<T>(parts: StateFileParts<T>): Promise<{ file: StateFile<T>; entries: readonly T[] }> {
    const file = new StateFile(parts)
    return { file, entries: await file.#read() }
  }

  private constructor({
    path,
    form,
    log,
    write = writeDurably,
    alarm = systemClock.alarm,
  }: StateFileParts<T>) {
    this.#path = path
    this.#form = form
    this.#log = log
    this.#write = write
    this.#alarm = alarm
  }

  /**
   * Makes these the entries of the file. Resolves when they, or later ones, are on the disk: true; or could not be written:
   * false. Then they are tried again until they are, or until the end of the process. Never rejects.
   */
  async save(entries: readonly T[]): Promise<boolean> {
    this.#want(++this.#given, textOf(this.#form, entries))
    await this.#writeWanted()
    return this.#held === this.#wanted
  }

  /** Like `save`, for many entries: their text is made in slices, so that the event loop runs in between. */
  async saveSliced(entries: Iterable<T>): Promise<boolean> {
    const number = ++this.#given
    const making = runSliced(linesOf(this.#form, entries))
    this.#made = afterBoth(this.#made, making)
    this.#want(number, (await making).join(''))
    await this.#writeWanted()
    return this.#held === this.#wanted
  }

  /** The text of many entries is ready later than that of few which were given after them. */
  #want(number: number, text: string): void {
    if (number < this.#wantedOf) return
    this.#wantedOf = number
    this.#wanted = text
  }

  /** Resolves when the last entries that were given are written, or cannot be, or after `patience` milliseconds. */
  async close(patience: number): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry()
    await waitAtMost(patience, this.#writeLast())
  }

  async #writeLast(): Promise<void> {
    await this.#made
    await this.#writeWanted()
  }

  /** One writer at a time; what is wanted meanwhile it writes in its next round. */
  #writeWanted(): Promise<void> {
    this.#writing ??= this.#writeRounds().finally(() => {
      this.#writing = null
      // What was wanted after the last look at it; a failure has its retry.
      if (this.#isDue && !this.#isFailing) void this.#writeWanted()
    })
    return this.#writing
  }

  get #isDue(): boolean {
    return this.#wanted !== null && this.#held !== this.#wanted
  }

  async #writeRounds(): Promise<void> {
    this.#cancelRetry()
    while (this.#isDue) {
      const text = this.#wanted as string
      try {
        await this.#write(this.#path, text)
      } catch (error) {
        this.#reportFailure(error as Error)
        return
      }
      this.#held = text
      this.#reportSuccess()
    }
  }

  #reportFailure({ message }: Error): void {
    if (!this.#isClosed) this.#cancelRetry = this.#alarm(RETRY, () => void this.#writeWanted())
    if (this.#isFailing) return
    this.#isFailing = true
    this.#log.error(
      'state.failed',
      { file: this.#path, error: message },
      `the ${this.#form.name} are in force but cannot be written: a restart would not know them; lvsd tries again every ${RETRY / 1000} s`,
    )
  }

  #reportSuccess(): void {
    if (this.#isFailing)
      this.#log.info('state.works', { file: this.#path }, `the ${this.#form.name} are written`)
    this.#isFailing = false
  }

  async #read(): Promise<readonly T[]> {
    let text: string | null
    try {
      text = await readText(this.#path)
    } catch (error) {
      this.#leaveOut(error as Error)
      return []
    }
    if (text === null) return []
    this.#held = text
    const { entries, damage } = parse(this.#form, text)
    if (damage) this.#keepAside(damage)
    return entries
  }

  /** The table and the health do not need the file, so lvsd starts without it. */
  #leaveOut({ message }: Error): void {
    const moved = setAside(this.#path, 'damaged')
    this.#log.error(
      'state.damaged',
      { file: this.#path, moved },
      `the file of the ${this.#form.name} cannot be read (${message}): lvsd starts without its entries`,
    )
  }

  #keepAside({ suffix, sentence }: Damage): void {
    const moved = copyAside(this.#path, suffix)
    this.#log.error(
      'state.damaged',
      { file: this.#path, moved },
      `the file of the ${this.#form.name} ${sentence}`,
    )
  }
}

/** Keeps neither the results nor the errors. */
function afterBoth(one: Promise<void>, other: Promise<unknown>): Promise<void> {
  return Promise.allSettled([one, other]).then(() => {})
}

/** Reads the entries of a file that another process may be writing, and changes nothing. Rejects if it cannot be read. */
export async function readStateFile<T>(path: string, form: EntryForm<T>): Promise<readonly T[]> {
  const text = await readText(path)
  return text === null ? [] : parse(form, text).entries
}

interface Damage {
  readonly suffix: 'damaged' | 'newer'
  readonly sentence: string
}

function textOf<T>(form: EntryForm<T>, entries: readonly T[]): string {
  return runSync(linesOf(form, entries)).join('')
}

/** Entries between two looks at the time. */
const SLICE = 100

function* linesOf<T>({ name, version }: EntryForm<T>, entries: Iterable<T>): Sliced<readonly string[]> {
  const lines: string[] = ['']
  for (const entry of entries) {
    lines.push(lineFor(entry))
    if (lines.length % SLICE === 0) yield
  }
  lines[0] = lineFor({ lvsd: name, version, entries: lines.length - 1 })
  return lines
}

/** Every entry that can be read, and what is wrong with the rest. */
function parse<T>(form: EntryForm<T>, text: string): { entries: readonly T[]; damage: Damage | null } {
  const [head, ...lines] = text.replace(/\n$/, '').split('\n').map(lineOf)
  const header = headerOf(form, head)
  const entries = lines.flatMap(line => entryOf(form, line))
  const expected = Math.max(header?.entries ?? 0, lines.length)
  return { entries, damage: damageOf(form, header, entries.length, expected - entries.length) }
}

type Line = ReturnType<typeof lineOf>

function entryOf<T>(form: EntryForm<T>, line: Line): T[] {
  if (line === null) return []
  try {
    return [form.read(line.value)]
  } catch {
    return []
  }
}

interface Header {
  readonly version: number
  readonly entries: number
}

/** Null where the first line is none of this form. */
function headerOf({ name }: EntryForm<unknown>, head: Line | undefined): Header | null {
  if (!head?.value) return null
  const { lvsd, version, entries } = head.value as Partial<Header> & { readonly lvsd?: unknown }
  const isHeader = lvsd === name && typeof version === 'number' && typeof entries === 'number'
  return isHeader ? { version, entries } : null
}

function damageOf(
  { version }: EntryForm<unknown>,
  header: Header | null,
  read: number,
  lost: number,
): Damage | null {
  const count = `${read} of its entries can be read and count${lost > 0 ? `, ${lost} cannot` : ''}`
  if (header && header.version > version)
    return {
      suffix: 'newer',
      sentence: `was written by a newer lvsd (version ${header.version}, this one knows ${version}): ${count}`,
    }
  if (!header || lost > 0) return { suffix: 'damaged', sentence: `is damaged: ${count}` }
  return null
}
