/**
 * Maintenance by files: a file in a folder, named after a real server, holds that server down. The names are
 * ldirectord's: address and port, address, host name and port, host name, each name also without its domain.
 */
import { lookupService } from 'node:dns/promises'
import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type Address, bracketed } from './address.js'
import type { Log } from './log.js'
import type { Real } from './model.js'

/** Milliseconds between two looks into the folder. */
const EVERY = 1000

/** The names of files that hold this server down. `names`: what its address is called. Pure. */
export function maintenanceNames(
  real: Pick<Real, 'host' | 'address' | 'port'>,
  names: readonly string[],
): string[] {
  const addresses = real.address ? [bracketed(real.address), real.address.text] : []
  const written = real.host === real.address?.text ? [] : [real.host]
  const hosts = [...written, ...names].flatMap(name => [name, name.split('.')[0] ?? name])
  return [...new Set([...addresses, ...hosts])].flatMap(name => [`${name}:${real.port}`, name])
}

/** The servers that are held down, with the file that does it. Pure. */
export function heldDown(
  reals: readonly Real[],
  files: ReadonlySet<string>,
  namesOf: (address: Address) => readonly string[],
): Map<Real, string> {
  const held = new Map<Real, string>()
  if (files.size === 0) return held
  for (const real of reals) {
    const file = maintenanceNames(real, real.address ? namesOf(real.address) : []).find(name =>
      files.has(name),
    )
    if (file !== undefined) held.set(real, file)
  }
  return held
}

export interface MaintenanceFolder {
  /** Names of the files there now. */
  readonly files: ReadonlySet<string>
  close(): void
}

/**
 * Looks into the folder now, before any check can raise a server, and then every second; says when its files change. A
 * folder that cannot be read is told once, and what was last seen in it counts; one that does not exist is empty.
 */
export function watchMaintenance(folder: string, log: Log, onChange: () => void): MaintenanceFolder {
  let isTold = false
  let isClosed = false
  let isLooking = false
  let files: ReadonlySet<string> = new Set()
  // A disk that fails for a moment must not put a server back to work that somebody is repairing.
  const unreadable = (error: unknown): string[] => {
    const fields = { folder, error: (error as Error).message }
    if (!isTold) log.warn(fields, 'the maintenance folder cannot be read: what was last seen in it counts')
    isTold = true
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : [...files]
  }
  files = new Set(readNow(folder, unreadable))
  const look = async () => {
    // On a file server that hangs, each look would take a thread that names and files are read with.
    if (isLooking) return
    isLooking = true
    const found = await readdir(folder).catch(unreadable)
    isLooking = false
    if (isClosed || (found.length === files.size && found.every(name => files.has(name)))) return
    files = new Set(found)
    onChange()
  }
  const timer = setInterval(() => void look(), EVERY)
  return {
    get files() {
      return files
    },
    close: () => {
      isClosed = true
      clearInterval(timer)
    },
  }
}

function readNow(folder: string, unreadable: (error: unknown) => string[]): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    return unreadable(error)
  }
}

/** Milliseconds after which names that have come in are made use of, while others are still being looked up. */
const TELL_AFTER = 500

/** What addresses are called, looked up aside and remembered: nothing ever waits for it. */
export class ReverseNames {
  readonly #names = new Map<string, readonly string[]>()
  readonly #look: (text: string) => Promise<string>
  #turn = 0

  /** `look` gives the name of an address; it rejects, or gives the address, where there is none. */
  constructor(look = nameOf) {
    this.#look = look
  }

  of(address: Address): readonly string[] {
    return this.#names.get(address.text) ?? []
  }

  /**
   * Looks the addresses up, each that is not known yet or, with `isFresh`, all of them again; a later call takes over. One
   * after the other: a name server that is silent must not take all the threads with which names are looked up, for mails
   * and services too. `onNews` is called when something is new.
   */
  async refresh(addresses: readonly Address[], isFresh: boolean, onNews: () => void): Promise<void> {
    const turn = ++this.#turn
    const asked = new Set(addresses.map(({ text }) => text))
    let isNews = false
    let told = performance.now()
    const tell = () => {
      if (isNews) onNews()
      isNews = false
      told = performance.now()
    }
    for (const text of asked) {
      if (turn !== this.#turn) break
      if (!isFresh && this.#names.has(text)) continue
      if (await this.#isNew(text)) isNews = true
      if (performance.now() - told > TELL_AFTER) tell()
    }
    tell()
  }

  async #isNew(text: string): Promise<boolean> {
    const name = await this.#look(text).catch(() => text)
    const names = name === text ? [] : [name]
    const before = this.#names.get(text) ?? []
    this.#names.set(text, names)
    return before.join() !== names.join()
  }
}

async function nameOf(text: string): Promise<string> {
  return (await lookupService(text, 0)).hostname
}
