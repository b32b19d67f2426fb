/** Chooses the configuration for a start, and keeps an accepted configuration for the next start. */
import { rm } from 'node:fs/promises'
import { type Check, noVerdict } from '../check/check.js'
import type { Loaded } from '../config/load.js'
import { loadConfigApart } from '../config/load-apart.js'
import { hasErrors, type Problem } from '../config/problems/problem.js'
import type { Config } from '../core/model.js'
import { loadNamedChecks } from '../kinds/find-kinds.js'
import { writeDurably } from '../storage/durable-file.js'
import { bootId } from '../storage/journal.js'
import { readText } from '../storage/state-text.js'
import { build } from '../system/build-id.js'
import { DEFAULT_STATE, type Place, stateFolders, writePointer } from './places.js'
import { type Accepted, acceptedPath, readAccepted, writeAccepted } from './store.js'

export type Runnable = Loaded & { readonly config: Config }

/** Describes why a start runs the last accepted configuration instead of the file. */
export interface Kept {
  /** ISO 8601. */
  readonly acceptedAt: string
  /** Problems of the file, or of other files that it refers to. */
  readonly problems: readonly Problem[]
}

export interface Chosen {
  readonly loaded: Runnable
  /** Null if `loaded` comes from the file. */
  readonly kept: Kept | null
}

export function isRunnable(loaded: Loaded): loaded is Runnable {
  return loaded.config !== null && !hasErrors(loaded.problems)
}

/** The last accepted configuration of a file. `tell` receives a sentence if it cannot be used. */
export class AcceptedConfiguration {
  readonly #place: Place
  readonly #isTrial: boolean
  readonly #tell: (problem: string) => void

  /** `isTrial` is true with the memory table: nothing is then written to the default state folder. */
  constructor(place: Place, { isTrial, tell }: { isTrial: boolean; tell: (problem: string) => void }) {
    this.#place = place
    this.#isTrial = isTrial
    this.#tell = tell
  }

  /** Returns `loaded` if it can run, else the last accepted configuration; null if there is neither. */
  async choose(loaded: Loaded): Promise<Chosen | null> {
    if (isRunnable(loaded)) return { loaded, kept: null }
    const accepted = await this.#find(loaded.text)
    const again = accepted && (await reloaded(accepted))
    if (!accepted || !again) return null
    return { loaded: again, kept: { acceptedAt: accepted.at, problems: loaded.problems } }
  }

  async keep({ config, text }: Runnable): Promise<void> {
    const { state } = config.settings
    if (this.#isTrial && state === DEFAULT_STATE) return
    const { file } = this.#place
    await writeAccepted(acceptedPath(state, file), {
      file,
      at: new Date().toISOString(),
      text,
      config,
      build: build(),
    })
    if (this.#place.state === null && !this.#isTrial) await writePointer(this.#place, state)
  }

  async #find(text: string): Promise<Accepted | null> {
    const { file } = this.#place
    for (const folder of await stateFolders(this.#place, text)) {
      const found = await readAccepted(acceptedPath(folder, file), { file, build: build(), tell: this.#tell })
      if (found) return found
    }
    return null
  }
}

/**
 * Returns the accepted configuration as it ran. If another build of lvsd wrote it, loads its text again; null if that
 * cannot run.
 */
async function reloaded({ file, text, config }: Accepted): Promise<Runnable | null> {
  if (!config) {
    const loaded = await loadConfigApart(file, { text })
    return isRunnable(loaded) ? loaded : null
  }
  const uses = config.services.flatMap(({ reals }) => reals.flatMap(({ checks }) => checks))
  const { checks } = await loadNamedChecks(config.settings.checks, new Set(uses.map(({ kind }) => kind)))
  return { config, checks: withMissing(checks, config), problems: [], text }
}

/** Adds a check without a verdict for each kind that does not load now, such as a user's file. */
function withMissing(checks: ReadonlyMap<string, Check>, { services }: Config): ReadonlyMap<string, Check> {
  const all = new Map(checks)
  for (const { reals } of services)
    for (const { checks: uses } of reals)
      for (const { kind } of uses) if (!all.has(kind)) all.set(kind, missing(kind))
  return all
}

function missing(name: string): Check {
  return {
    name,
    summary: 'does not load',
    options: () => ({}),
    run: async () => noVerdict(`the check ${name} does not load: see lvsd validate`),
  }
}

/**
 * A file that records that the daemon of a configuration was stopped on request since this machine was booted. The next
 * start is then also on request, and the operator can see that the file is broken. After a crash, kill -9 or a boot no
 * operator reads the output.
 */
export class StopMark {
  readonly #path: string

  constructor(state: string, file: string) {
    this.#path = acceptedPath(state, file).replace(/\.json$/, '.stopped')
  }

  async isSet(): Promise<boolean> {
    const text = await readText(this.#path).catch(() => null)
    return text !== null && text !== '' && text.trim() === bootId()
  }

  set(): Promise<void> {
    return writeDurably(this.#path, `${bootId()}\n`)
  }

  clear(): Promise<void> {
    return rm(this.#path, { force: true })
  }
}
