/** What keepalived has said last, kept for the next start: `vrrp.json` in the state folder. A reboot makes it void. */
import { VRRP_STATES, type VrrpWord } from '../../core/vrrp-role.js'
import { bootId } from '../../storage/journal.js'
import { type EntryForm, StateFile } from '../../storage/state-file.js'
import type { Log } from '../../system/log.js'

interface Remembered extends VrrpWord {
  readonly boot: string
}

const FORM: EntryForm<Remembered> = {
  name: 'words of VRRP',
  version: 1,
  read(value) {
    const { kind, name, state, priority, boot } = value as Partial<Remembered>
    const known = VRRP_STATES.find(each => each === state)
    if ((kind !== 'INSTANCE' && kind !== 'GROUP') || typeof name !== 'string' || !known)
      throw new Error('not a word of VRRP')
    return { kind, name, state: known, priority: Number(priority) || 0, boot: String(boot) }
  },
}

export class RoleMemory {
  readonly #log: Log
  readonly #path: string | null
  #file: StateFile<Remembered> | null = null
  #word: VrrpWord | null = null

  /** `path` null: nothing is kept. */
  constructor({ log, path }: { readonly log: Log; readonly path: string | null }) {
    this.#log = log
    this.#path = path
  }

  get word(): VrrpWord | null {
    return this.#word
  }

  async load(): Promise<void> {
    if (this.#path === null || this.#file) return
    const { file, entries } = await StateFile.open({ path: this.#path, form: FORM, log: this.#log })
    this.#file = file
    // A reload may have heard a word meanwhile.
    if (this.#word) this.keep(this.#word)
    else this.#word = entries.find(({ boot }) => boot !== '' && boot === bootId()) ?? null
  }

  keep(word: VrrpWord): void {
    this.#word = word
    void this.#file?.save([{ ...word, boot: bootId() }])
  }

  async close(patience: number): Promise<void> {
    await this.#file?.close(patience)
  }
}
