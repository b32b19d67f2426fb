/** Chooses the configuration for a start, and keeps an accepted configuration for the next start. */
import { readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Check, noVerdict } from '../check/check.js'
import type { Loaded } from '../config/load.js'
import { loadConfigApart } from '../config/load-apart.js'
import { hasErrors, type Problem } from '../config/problems/problem.js'
import { groupsOf } from '../config/service-groups.js'
import type { Config } from '../core/model.js'
import { loadNamedChecks } from '../kinds/find-kinds.js'
import type { FirstChecks } from '../schedule/executors.js'
import { writeDurably } from '../storage/durable-file.js'
import { bootId } from '../storage/journal.js'
import { readText } from '../storage/state-text.js'
import { build } from '../system/build-id.js'
import { isHandedOver, readTextSoon } from '../system/read-file.js'
import { acceptedPath, DEFAULT_STATE } from './accepted-path.js'
import { firstChecksFile, firstChecksPath } from './first-checks.js'
import { sumsOf } from './held-blocks.js'
import { type Place, stateFolders, writePointer } from './places.js'
import { type Accepted, type FromText, type Reading, readAccepted, writeAccepted } from './store.js'

export type Runnable = Loaded & { readonly config: Config }

/** Describes why a start runs the last accepted configuration instead of the file. */
export interface Kept {
  /** ISO 8601. */
  readonly acceptedAt: string
  /** Problems of the file, or of other files that it refers to. */
  readonly problems: readonly Problem[]
  /** What the start read and refused. */
  readonly read: Pick<Loaded, 'text' | 'included' | 'patterns'>
}

export interface Chosen {
  readonly loaded: Runnable
  /** Null if `loaded` comes from the file. */
  readonly kept: Kept | null
}

export function isRunnable(loaded: Loaded): loaded is Runnable {
  return loaded.config !== null && !hasErrors(loaded.problems)
}

export interface AcceptedParts {
  /** True with the memory table: nothing is then written to the default state folder. */
  readonly isTrial: boolean
  /** Receives a sentence if the last accepted configuration cannot be used. */
  readonly tell: (problem: string) => void
  /** Paths that the command line gives in place of the configuration's. Absent: each start is to read the file. */
  readonly paths?: { readonly [K in 'socket' | 'state']?: string | undefined }
}

/** The last accepted configuration of a file. */
export class AcceptedConfiguration {
  readonly #place: Place
  readonly #parts: AcceptedParts

  constructor(place: Place, parts: AcceptedParts) {
    this.#place = place
    this.#parts = parts
  }

  /**
   * Returns what reading the file would give, if its text is that of the last accepted configuration, which this build made from
   * the text alone. Null: the file has to be read. It takes a tenth of the time. What another user may have written is not used:
   * it names commands. Never rejects.
   */
  async ofSameText(): Promise<Runnable | null> {
    const { file } = this.#place
    // Paths in a file that a shell passes are relative to its working directory.
    if (!this.#parts.paths || isHandedOver(file)) return null
    const text = await readTextSoon(file).catch(() => null)
    const accepted = text === null ? null : await this.#find(text, { isOwn: true }).catch(() => null)
    if (accepted?.text !== text || !accepted?.config || !accepted.fromText) return null
    const { config, fromText } = accepted
    const { socket, state } = this.#pathsGiven()
    const isSame = fromText.socket === socket && fromText.state === state
    if (!isSame || (fromText.hostname ?? hostname()) !== hostname()) return null
    return takenUp({ text: accepted.text, config, fromText }).catch(() => null)
  }

  /** Returns `loaded` if it can run, else the last accepted configuration; null if there is neither. */
  async choose(loaded: Loaded): Promise<Chosen | null> {
    if (isRunnable(loaded)) return { loaded, kept: null }
    const accepted = await this.#find(loaded.text, { tell: this.#parts.tell })
    const again = accepted && (await reloaded(accepted))
    if (!accepted || !again) return null
    const { problems } = loaded
    return { loaded: again, kept: { acceptedAt: accepted.at, problems, read: loaded } }
  }

  /** `firstChecks`: what the next start can begin at once. */
  async keep(accepted: Runnable, firstChecks: FirstChecks | null = null): Promise<void> {
    const { config, text } = accepted
    const { state } = config.settings
    const { isTrial, paths } = this.#parts
    if (isTrial && state === DEFAULT_STATE) return
    const { file } = this.#place
    const fromText = paths ? fromTextOf(accepted, this.#pathsGiven()) : null
    const at = new Date().toISOString()
    // Which checks a director of a site runs, and how often, its role decides.
    const canBegin = fromText !== null && !config.cluster
    const first = canBegin && firstChecks ? fileFor(file, accepted, firstChecks) : null
    const path = firstChecksPath(state, file)
    const isThere = first !== null && (await holds(path, first))
    // Those of another configuration must not be there beside this one: a start that runs this one would begin them.
    if (!isThere) await drop(path, first === null)
    await writeAccepted(acceptedPath(state, file), { file, at, text, config, fromText, build: build() })
    if (first && !isThere) await writeFirst(path, first)
    if (this.#place.state === null && !isTrial) await writePointer(this.#place, state)
  }

  #pathsGiven(): Pick<FromText, 'socket' | 'state'> {
    const { socket = null, state = null } = this.#parts.paths ?? {}
    return { socket, state }
  }

  async #find(text: string, how: Partial<Pick<Reading, 'tell' | 'isOwn'>>): Promise<Accepted | null> {
    const { file } = this.#place
    for (const folder of await stateFolders(this.#place, text)) {
      const found = await readAccepted(acceptedPath(folder, file), {
        file,
        build: build(),
        tell: () => {},
        ...how,
      })
      if (found) return found
    }
    return null
  }
}

function fileFor(file: string, { text, config }: Runnable, checks: FirstChecks): Buffer {
  const { program, bytes, services } = checks
  const sums = sumsOf({ file, text, services: config.services }, services)
  return firstChecksFile({ file, text, program, sums }, bytes)
}

async function holds(path: string, first: Buffer): Promise<boolean> {
  return (await readFile(path).catch(() => null))?.equals(first) ?? false
}

/** `isNone`: nothing will be written there. */
async function drop(path: string, isNone: boolean): Promise<void> {
  await rm(path, { recursive: isNone, force: true }).catch(() => {})
}

async function writeFirst(path: string, first: Buffer): Promise<void> {
  try {
    await writeDurably(path, first)
  } catch {
    // The next start begins its checks a little later.
  }
}

/** Null if more than the text counts. */
function fromTextOf(
  { checks, problems, hiding, reuse }: Runnable,
  paths: Pick<FromText, 'socket' | 'state'>,
): FromText | null {
  if (!reuse?.isWhole) return null
  const { values, hostname: name = null } = reuse
  return {
    ...paths,
    hostname: name,
    kinds: [...checks.keys()],
    problems,
    hidden: hiding?.hidden ?? [],
    values,
  }
}

async function takenUp({
  text,
  config,
  fromText,
}: Pick<Accepted, 'text'> & { readonly config: Config; readonly fromText: FromText }): Promise<Runnable> {
  const { kinds, problems, hidden, values, hostname: name } = fromText
  const { checks } = await loadNamedChecks([], new Set(kinds))
  return {
    ...{ config, checks, problems, text },
    ...{ included: [], patterns: [], ...(problems.length > 0 && (await hidingOf(checks, hidden))) },
    reuse: {
      ...{ plain: new Set(groupsOf(config.services).map(({ key }) => key)), values, isWhole: true },
      ...(name !== null && { hostname: name }),
    },
  }
}

/** The names of secrets come with all that reads a configuration. Without problems, no line of the file is shown. */
async function hidingOf(
  checks: Runnable['checks'],
  hidden: FromText['hidden'],
): Promise<Pick<Loaded, 'hiding'>> {
  const { secretNames } = await import('../config/secrets.js')
  return { hiding: { isSecret: secretNames(checks), hidden } }
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
