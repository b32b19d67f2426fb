/**
 * The ownership journal: which virtual services lvsd has made or taken over, and the last good address of each name.
 * It is written before the kernel is changed, so that after kill -9 nothing of ours is taken for somebody else's.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Address, parseAddress } from '../core/address.js'
import { keyOfService, type Protocol, type ServiceId } from '../core/model.js'
import { lockFile } from '../system/libc.js'

interface Stored {
  readonly services: readonly StoredService[]
  readonly names: Readonly<Record<string, string>>
  readonly begun?: { readonly boot: string; readonly what: readonly string[] }
  readonly maintenance?: Maintenance | null
}

/** What was last seen of the maintenance folder, and what the servers are called that it held, by address. */
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
  /** Keys of the services that are ours. */
  readonly owned: ReadonlySet<string>
  /** The same services. */
  readonly services: readonly ServiceId[]
  /** Last good address of each name. */
  readonly names: ReadonlyMap<string, string>
  /** What lvsd has begun and has still to end, since this machine was booted. */
  readonly begun: ReadonlySet<string>
  /** What was last seen of the maintenance folder; null where there is none. */
  readonly maintenance: Maintenance | null
  /**
   * Adds and removes services in one write. Without a change nothing is written, but for what could not be written
   * before. Throws what the file system throws; what is remembered until the end of the process has changed then, too.
   */
  record(change: { readonly add?: Iterable<ServiceId>; readonly remove?: Iterable<ServiceId> }): void
  recordNames(names: ReadonlyMap<string, string>): void
  recordBegun(begun: ReadonlySet<string>): void
  recordMaintenance(maintenance: Maintenance | null): void
  /** Lets another lvsd have it. */
  close(): void
}

/** Another lvsd keeps this journal: each would take the other's services for its own, and remove them. */
export class JournalInUse extends Error {}

/** `${state}/lvsd.json` for the control socket `/run/lvsd/lvsd.sock`: one journal for each running lvsd. */
export function journalPath(state: string, socket: string): string {
  return join(state, `${basename(socket, '.sock')}.json`)
}

/** What a journal holds, for those who only look: nothing is moved or written. `damage` is a sentence or null. */
export function readJournal(
  path: string,
): Pick<Journal, 'owned' | 'names'> & { readonly damage: string | null } {
  const { stored, damage } = read(path)
  const owned = new Set(stored.services.map(fromStored).map(keyOfService))
  return { owned, names: new Map(Object.entries(stored.names)), damage }
}

/**
 * Opens the journal; a missing one is empty. A damaged one is kept aside under another name, and told. Throws
 * JournalInUse where another process has it open.
 */
export function openJournal(path: string, onDamage: (message: string, movedTo: string) => void): Journal {
  const unlock = lock(path)
  const { stored, damage } = read(path)
  if (damage !== null) {
    renameSync(path, `${path}.damaged`)
    onDamage(damage, `${path}.damaged`)
  }
  return keep(stored, contents => write(path, contents), unlock)
}

/** A journal that forgets, for the memory table. */
export function memoryJournal(): Journal {
  const nothing = () => {}
  return keep({ services: [], names: {} }, nothing, nothing)
}

/** `save` is called with everything, where something has changed or could not be saved before. */
function keep(stored: Stored, save: (contents: Stored) => void, close: () => void): Journal {
  const services = new Map(stored.services.map(fromStored).map(id => [keyOfService(id), id]))
  const owned = new Set(services.keys())
  const names = new Map(Object.entries(stored.names))
  const boot = bootId()
  let begun: ReadonlySet<string> = new Set(stored.begun?.boot === boot ? stored.begun.what : [])
  let maintenance = stored.maintenance ?? null
  let isSaved = true
  const saveChanges = () => {
    if (isSaved) return
    save({
      services: [...services.values()].map(toStored),
      names: Object.fromEntries(names),
      begun: { boot, what: [...begun] },
      ...(maintenance && { maintenance }),
    })
    isSaved = true
  }
  return {
    owned,
    names,
    get begun() {
      return begun
    },
    get maintenance() {
      return maintenance
    },
    get services() {
      return [...services.values()]
    },
    record({ add = [], remove = [] }) {
      const before = [...owned].join()
      for (const id of add) services.set(keyOfService(id), id)
      for (const id of remove) services.delete(keyOfService(id))
      owned.clear()
      for (const key of services.keys()) owned.add(key)
      isSaved &&= [...owned].join() === before
      saveChanges()
    },
    recordNames(next) {
      isSaved &&= next.size === names.size && [...next].every(([name, text]) => names.get(name) === text)
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

/** On a file beside it, for the journal itself is replaced whenever it is written. Gives what unlocks it. */
function lock(path: string): () => void {
  let fd: number | undefined
  let isOurs = true
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    fd = openSync(`${path}.lock`, 'w', 0o600)
    isOurs = lockFile(fd)
  } catch {
    // A disk that cannot be written is told with the first entry, and must not keep lvsd from starting.
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

function read(path: string): { stored: Stored; damage: string | null } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { stored: EMPTY, damage: null }
    throw error
  }
  try {
    const stored = JSON.parse(text) as Stored
    stored.services.forEach(fromStored)
    for (const [name, text] of Object.entries({ ...stored.names })) addressOf(text, name)
    const begun = stored.begun && { boot: stored.begun.boot, what: stored.begun.what.map(String) }
    const maintenance = stored.maintenance && readMaintenance(stored.maintenance)
    const known = { services: stored.services, names: { ...stored.names } }
    return {
      stored: { ...known, ...(begun && { begun }), ...(maintenance && { maintenance }) },
      damage: null,
    }
  } catch (error) {
    return { stored: EMPTY, damage: `the ownership journal is damaged (${(error as Error).message})` }
  }
}

/** Throws where it has another shape. */
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

/** Another one after each boot: whatever a command had done is gone then. Empty where the kernel does not say. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

const EMPTY: Stored = { services: [], names: {} }

/** Written beside and renamed, so that a crash leaves the old or the new one. */
function write(path: string, stored: Stored): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  writeFileSync(`${path}.new`, `${JSON.stringify(stored, null, 1)}\n`, { mode: 0o644, flush: true })
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
