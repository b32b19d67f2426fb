/**
 * The ownership journal: which virtual services lvsd has made or taken over, and the last good address of each name.
 * It is written before the kernel is changed, so that after kill -9 nothing of ours is taken for somebody else's.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseAddress } from '../address.js'
import { keyOfService, type Protocol, type ServiceId } from '../model.js'

interface Stored {
  readonly services: readonly StoredService[]
  readonly names: Readonly<Record<string, string>>
}

type StoredService =
  | { readonly protocol: Protocol; readonly address: string; readonly port: number }
  | { readonly fwmark: number; readonly family: 'ipv4' | 'ipv6' }

export interface Journal {
  /** Keys of the services that are ours. */
  readonly owned: ReadonlySet<string>
  /** Last good address of each name. */
  readonly names: ReadonlyMap<string, string>
  /** Adds and removes services in one write; without a change nothing is written. Throws what the file system throws. */
  record(change: { readonly add?: Iterable<ServiceId>; readonly remove?: Iterable<ServiceId> }): void
  recordNames(names: ReadonlyMap<string, string>): void
}

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

/** Opens the journal; a missing one is empty. A damaged one is kept aside under another name, and told. */
export function openJournal(path: string, onDamage: (message: string, movedTo: string) => void): Journal {
  const { stored, damage } = read(path)
  if (damage !== null) {
    renameSync(path, `${path}.damaged`)
    onDamage(damage, `${path}.damaged`)
  }
  const services = new Map(stored.services.map(fromStored).map(id => [keyOfService(id), id]))
  const owned = new Set(services.keys())
  const names = new Map(Object.entries(stored.names))
  const save = () =>
    write(path, { services: [...services.values()].map(toStored), names: Object.fromEntries(names) })
  return {
    owned,
    names,
    record({ add = [], remove = [] }) {
      const before = [...owned].join()
      for (const id of add) services.set(keyOfService(id), id)
      for (const id of remove) services.delete(keyOfService(id))
      owned.clear()
      for (const key of services.keys()) owned.add(key)
      if ([...owned].join() !== before) save()
    },
    recordNames(next) {
      if (next.size === names.size && [...next].every(([name, text]) => names.get(name) === text)) return
      names.clear()
      for (const [name, text] of next) names.set(name, text)
      save()
    },
  }
}

/** A journal that forgets, for the memory table. */
export function memoryJournal(): Journal {
  const owned = new Set<string>()
  const names = new Map<string, string>()
  return {
    owned,
    names,
    record({ add = [], remove = [] }) {
      for (const id of add) owned.add(keyOfService(id))
      for (const id of remove) owned.delete(keyOfService(id))
    },
    recordNames(next) {
      for (const [name, text] of next) names.set(name, text)
    },
  }
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
    return { stored: { services: stored.services, names: { ...stored.names } }, damage: null }
  } catch (error) {
    return { stored: EMPTY, damage: `the ownership journal is damaged (${(error as Error).message})` }
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
  const address = parseAddress(stored.address)
  if (!address) throw new Error(`"${stored.address}" is not an address`)
  return { kind: 'address', protocol: stored.protocol, address, port: stored.port }
}
