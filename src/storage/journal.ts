/**
 * The ownership journal: the virtual services that lvsd has created or adopted, and the last valid address of each
 * name. It is written before the kernel's table is changed, so that after kill -9 lvsd still recognizes its own
 * services.
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Address, parseAddress } from '../core/address.js'
import { keyOfService, type Protocol, type ServiceId } from '../core/model.js'
import { lockFile } from '../system/libc.js'
import { makeFolderSync } from '../system/make-folder.js'
import { readTextSync, setAside } from './state-text.js'

interface Stored {
  readonly services: readonly StoredService[]
  readonly names: Readonly<Record<string, string>>
  readonly marks?: Readonly<Record<string, number>>
  readonly begun?: { readonly boot: string; readonly what: readonly string[] }
  readonly maintenance?: Maintenance | null
}

/** Last known state of the maintenance folder, and the names of the held servers by address. */
export interface Maintenance {
  readonly folder: string
  readonly device: string | null
  readonly files: readonly string[]
  readonly names: Readonly<Record<string, readonly string[]>>
}

type StoredService =
  | { readonly protocol: Protocol; readonly address: string; readonly port: number }
  | { readonly fwmark: number; readonly family: 'ipv4' | 'ipv6' }

export interface Journal {
  /** Keys of the owned services. */
  readonly owned: ReadonlySet<string>
  /** The owned services. */
  readonly services: readonly ServiceId[]
  /** Last valid address of each name. */
  readonly names: ReadonlyMap<string, string>
  /** Firewall marks of checks through the paths of services, by path (`core/service-path.ts`). */
  readonly marks: ReadonlyMap<string, number>
  /** Started fallback commands that must still be stopped; valid until the machine reboots. */
  readonly begun: ReadonlySet<string>
  /** Last known state of the maintenance folder, or null. */
  readonly maintenance: Maintenance | null
  /**
   * Adds and removes services, and replaces the marks, in one write. Nothing is written if nothing has changed, unless an
   * earlier write failed. Throws the file system's error; the change is then kept in memory.
   */
  record(change: {
    readonly add?: Iterable<ServiceId>
    readonly remove?: Iterable<ServiceId>
    readonly marks?: ReadonlyMap<string, number>
  }): void
  recordNames(names: ReadonlyMap<string, string>): void
  recordBegun(begun: ReadonlySet<string>): void
  recordMaintenance(maintenance: Maintenance | null): void
  /** Releases the lock of the journal. */
  close(): void
}

/** Another lvsd uses this journal. Each of them would treat the other's services as its own and remove them. */
export class JournalInUse extends Error {}

/** Returns `${state}/lvsd.json` for the control socket `/run/lvsd/lvsd.sock`. Each running lvsd has its own journal. */
export function journalPath(state: string, socket: string): string {
  return join(state, `${basename(socket, '.sock')}.json`)
}

/** Returns `${state}/lvsd-WHAT.json`: another file of the state folder, named like the journal. */
export function statePath(
  { state, socket }: { readonly state: string; readonly socket: string },
  what: string,
): string {
  return journalPath(state, socket).replace(/\.json$/, `-${what}.json`)
}

/** Reads a journal without locking, moving or writing it. `damage` is a sentence or null. */
export function readJournal(
  path: string,
): Pick<Journal, 'owned' | 'names' | 'marks'> & { readonly damage: string | null } {
  const { stored, damage } = read(path)
  const owned = new Set(stored.services.map(fromStored).map(keyOfService))
  const [names, marks] = [Object.entries(stored.names), Object.entries(stored.marks ?? {})]
  return { owned, names: new Map(names), marks: new Map(marks), damage }
}

/**
 * Opens the journal; a missing one is empty. One that is damaged or cannot be read is set aside and reported. Throws
 * JournalInUse if another process has it open.
 */
export function openJournal(path: string, onDamage: (message: string, movedTo: string) => void): Journal {
  const unlock = lock(path)
  const { stored, damage } = read(path)
  if (damage !== null) onDamage(damage, setAside(path, 'damaged'))
  return keep(stored, contents => write(path, contents), unlock)
}

/** Returns a journal without a file, for the memory table. */
export function memoryJournal(): Journal {
  const nothing = () => {}
  return keep({ services: [], names: {} }, nothing, nothing)
}

/** Returns a journal. `save` is called with the complete content if it has changed, or if an earlier call failed. */
function keep(stored: Stored, save: (contents: Stored) => void, close: () => void): Journal {
  const services = new Map(stored.services.map(fromStored).map(id => [keyOfService(id), id]))
  const owned = new Set(services.keys())
  const names = new Map(Object.entries(stored.names))
  let marks: ReadonlyMap<string, number> = new Map(Object.entries(stored.marks ?? {}))
  const boot = bootId()
  let begun: ReadonlySet<string> = new Set(stored.begun?.boot === boot ? stored.begun.what : [])
  let maintenance = stored.maintenance ?? null
  let isSaved = true
  const saveChanges = () => {
    if (isSaved) return
    save({
      services: [...services.values()].map(toStored),
      names: Object.fromEntries(names),
      ...(marks.size > 0 && { marks: Object.fromEntries(marks) }),
      begun: { boot, what: [...begun] },
      ...(maintenance && { maintenance }),
    })
    isSaved = true
  }
  return {
    owned,
    names,
    get marks() {
      return marks
    },
    get begun() {
      return begun
    },
    get maintenance() {
      return maintenance
    },
    get services() {
      return [...services.values()]
    },
    record({ add = [], remove = [], marks: next = marks }) {
      for (const id of add) {
        const key = keyOfService(id)
        if (!owned.has(key)) isSaved = false
        services.set(key, id)
        owned.add(key)
      }
      for (const id of remove) {
        const key = keyOfService(id)
        if (services.delete(key)) isSaved = false
        owned.delete(key)
      }
      isSaved &&= isSame(next, marks)
      marks = next
      saveChanges()
    },
    recordNames(next) {
      isSaved &&= isSame(next, names)
      names.clear()
      for (const [name, text] of next) names.set(name, text)
      saveChanges()
    },
    recordBegun(next) {
      isSaved &&= next.size === begun.size && [...next].every(each => begun.has(each))
      begun = new Set(next)
      saveChanges()
    },
    recordMaintenance(next) {
      isSaved &&= JSON.stringify(next) === JSON.stringify(maintenance)
      maintenance = next
      saveChanges()
    },
    close,
  }
}

function isSame<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value))
}

/** Locks a separate file, because the journal itself is replaced at each write. Returns a function that unlocks it. */
function lock(path: string): () => void {
  let fd: number | undefined
  let isOurs = true
  try {
    makeFolderSync(dirname(path), 0o755)
    fd = openLock(`${path}.lock`)
    isOurs = lockFile(fd)
  } catch {
    // A disk that is not writable is reported at the first write. It must not prevent the start.
  }
  const unlock = () => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }
  if (isOurs) return unlock
  unlock()
  throw new JournalInUse(
    `another lvsd runs with the journal ${path}: stop it, or give this one its own --socket and --state`,
  )
}

/** Opens the file that is locked. Anything else in its place is set aside: a pipe would block, a link lead elsewhere. */
function openLock(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found && !found.isFile()) setAside(path, 'damaged')
  return openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    0o600,
  )
}

function read(path: string): { stored: Stored; damage: string | null } {
  let text: string | null
  try {
    text = readTextSync(path)
  } catch (error) {
    return {
      stored: EMPTY,
      damage: `the ownership journal ${path} cannot be read (${(error as Error).message})`,
    }
  }
  if (text === null) return { stored: EMPTY, damage: null }
  try {
    const stored = JSON.parse(text) as Stored
    stored.services.forEach(fromStored)
    for (const [name, text] of Object.entries({ ...stored.names })) addressOf(text, name)
    const begun = stored.begun && { boot: stored.begun.boot, what: stored.begun.what.map(String) }
    const maintenance = stored.maintenance && readMaintenance(stored.maintenance)
    const known = { services: stored.services, names: { ...stored.names }, marks: readMarks(stored.marks) }
    return {
      stored: { ...known, ...(begun && { begun }), ...(maintenance && { maintenance }) },
      damage: null,
    }
  } catch (error) {
    return { stored: EMPTY, damage: `the ownership journal is damaged (${(error as Error).message})` }
  }
}

/** Returns those that are marks. Without one, its path gets another. */
function readMarks(marks: Stored['marks'] = {}): Record<string, number> {
  return Object.fromEntries(Object.entries(marks).filter(([, mark]) => Number.isInteger(mark)))
}

/** Throws if the data has a different structure. */
function readMaintenance({ folder, device, files, names }: Maintenance): Maintenance {
  return {
    folder: String(folder),
    device: device === null ? null : String(device),
    files: files.map(String),
    names: Object.fromEntries(
      Object.entries(names).map(([address, called]) => [address, called.map(String)]),
    ),
  }
}

/** Returns the id of this boot; empty if unknown. The effects of commands do not survive a reboot. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

const EMPTY: Stored = { services: [], names: {} }

/** Writes a new file and renames it, so that after a crash either the old or the new one is complete. */
function write(path: string, stored: Stored): void {
  makeFolderSync(dirname(path), 0o755)
  // What a killed process has left, or what somebody has put there: a link is removed, not followed.
  rmSync(`${path}.new`, { force: true })
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(stored, null, 1)}\n`, {
      mode: 0o644,
      flag: 'wx',
      flush: true,
    })
  } catch (error) {
    // On a full disk a part of it would take the space of other files.
    rmSync(`${path}.new`, { force: true })
    throw error
  }
  renameSync(`${path}.new`, path)
}

function toStored(id: ServiceId): StoredService {
  if (id.kind === 'fwmark') return { fwmark: id.fwmark, family: id.family }
  return { protocol: id.protocol, address: id.address.text, port: id.port }
}

function fromStored(stored: StoredService): ServiceId {
  if ('fwmark' in stored) return { kind: 'fwmark', fwmark: stored.fwmark, family: stored.family }
  const address = addressOf(stored.address)
  return { kind: 'address', protocol: stored.protocol, address, port: stored.port }
}

function addressOf(text: unknown, what = ''): Address {
  const address = typeof text === 'string' ? parseAddress(text) : null
  if (!address) throw new Error(`${what && `${what}: `}"${text}" is not an address`)
  return address
}
