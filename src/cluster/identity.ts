/** Who this director is in its site: an id that survives a restart, in a file of the state folder, with its last role. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { type Role, roleOf } from '../core/role.js'
import { type EntryForm, StateFile } from '../storage/state-file.js'
import type { Log } from '../system/log.js'

interface Stored {
  readonly id: string
  readonly role: Role | null
}

const FORM: EntryForm<Stored> = {
  name: 'identities',
  version: 1,
  read(value) {
    const { id, role } = (value ?? {}) as Record<string, unknown>
    if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) throw new Error('no identity')
    return { id, role: typeof role === 'string' ? roleOf(role) : null }
  },
}

export class Identity {
  /** Names this process. */
  readonly instance = randomBytes(8).toString('hex')
  readonly host: string
  readonly #path: string | null
  readonly #log: Log
  #file: StateFile<Stored> | null = null
  #stored: Stored = { id: newId(), role: null }

  /** `path`: null: it ends with the process. */
  constructor(path: string | null, log: Log, host = hostname()) {
    this.#path = path
    this.#log = log
    this.host = host.replace(/\s/g, '-').slice(0, 253) || 'localhost'
  }

  get id(): string {
    return this.#stored.id
  }

  /** The role at the end of the last run; null: unknown. */
  get role(): Role | null {
    return this.#stored.role
  }

  async load(): Promise<void> {
    if (this.#path === null || this.#file) return
    const { file, entries } = await StateFile.open({ path: this.#path, form: FORM, log: this.#log })
    this.#file = file
    const [stored] = entries
    if (stored) this.#stored = stored
    else await file.save([this.#stored])
  }

  keepRole(role: Role): void {
    if (role === this.#stored.role) return
    this.#stored = { ...this.#stored, role }
    void this.#file?.save([this.#stored])
  }

  /** Another director has the same id, for example a copy of this machine. */
  renew(): void {
    this.#stored = { ...this.#stored, id: newId() }
    void this.#file?.save([this.#stored])
  }

  async close(patience: number): Promise<void> {
    await this.#file?.close(patience)
  }
}

function newId(): string {
  return randomBytes(8).toString('hex')
}
