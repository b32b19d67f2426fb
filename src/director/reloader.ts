/**
 * Holds the active configuration and replaces it on reload. Reloads run one after another; each is accepted or refused
 * as a whole. `apply` activates an accepted configuration, and `keep` stores it for the next start.
 */
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Kept, Runnable } from '../accepted/accepted.js'
import type { ReloadSnapshot } from '../api/snapshot.js'
import type { ReloadOutcome } from '../api/status-types.js'
import type { Loaded } from '../config/load.js'
import { errorsIn, inOneLine, type Problem } from '../config/problems/problem.js'
import { changesText, countingChanges, fromNextStart, fromNextStartText } from '../core/config-changes.js'
import type { Config, DaemonPhase } from '../core/model.js'
import { sharingWith } from '../core/shared-config.js'
import { logProblems } from '../events/log-listener.js'
import type { Log } from '../system/log.js'
import type { Notify } from '../system/sd-notify.js'
import { type Clock, steadyNow, systemClock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'
import { isSameValue } from '../util/same-value.js'
import { runSliced } from '../util/time-slice.js'
import { waitAtMost } from '../util/with-timeout.js'
import type { Verdict, Waits } from '../watch/watch.js'
import { errorsText, mayBeAccepted, mayBePart, refusalReason } from './reload-policy.js'

export interface ReloaderParts {
  readonly log: Log
  readonly notify: Notify
  readonly loaded: Runnable
  /** Set if `loaded` is the kept configuration, because the file cannot run; null if it comes from the file. */
  readonly kept?: Kept | null
  /** Stores an accepted configuration for the next start. */
  readonly keep?: (loaded: Runnable) => Promise<void>
  /** Reads the configuration again. What is equal in the active one, `running`, need not be made again. */
  readonly load: (running: Runnable) => Promise<Loaded>
  /** Activates the accepted configuration. Resolves when the kernel's table has been changed accordingly. */
  readonly apply: () => Promise<void>
  readonly enter: (phase: DaemonPhase) => void
  /** Called with each configuration that was read and handled. */
  readonly considered: (loaded: Loaded) => void
  /** The changed configuration that waits because it may be incomplete. */
  readonly waits?: () => Waits | null
  readonly clock?: Pick<Clock, 'alarm'>
}

/** Milliseconds between two attempts to load a file that could not run at the start. */
const KEPT_RETRY_EVERY = 30_000
/** Milliseconds between two attempts to store an accepted configuration. */
const STORE_RETRY = 5000

export class Reloader {
  readonly #parts: ReloaderParts
  #loaded: Runnable
  /** Time of acceptance, in milliseconds of the steady clock. */
  #loadedAt = steadyNow()
  #last: ReloadOutcome | null = null
  /** Set after a start with a file that cannot run, until a reload is accepted. */
  #kept: Kept | null
  #keeping: Promise<void> = Promise.resolve()
  /** Why the active configuration cannot be stored; null: it is, or has not been tried. */
  #unkept: string | null = null
  #cancelStore = () => {}
  /** What was read and handled last; a refusal for a cause outside the files does not count. */
  #lastRead: Kept['read']
  #queue: Promise<unknown> = Promise.resolve()
  /** Reloads that have not begun, by `isForced`. Further requests share them. */
  readonly #waiting = new Map<boolean, Promise<ReloadOutcome>>()
  readonly #brokenFile: Poller
  #isStopped = false

  constructor(parts: ReloaderParts) {
    this.#parts = parts
    const { log, clock = systemClock } = parts
    this.#brokenFile = new Poller('broken file', () => this.#retryFile(), { log, clock })
    this.#loaded = parts.loaded
    this.#kept = parts.kept ?? null
    this.#lastRead = this.#kept?.read ?? parts.loaded
  }

  /** The last accepted configuration, names not resolved. */
  get loaded(): Runnable {
    return this.#loaded
  }

  get lastRead(): Kept['read'] {
    return this.#lastRead
  }

  snapshot(): ReloadSnapshot {
    const { config, problems } = this.#loaded
    return {
      // Others read it in folders of their own.
      file: resolve(config.file),
      loadedAt: this.#loadedAt,
      warnings: problems,
      keptSince: this.#kept?.acceptedAt ?? null,
      fromNextStart: this.#fromNextStart(),
      last: this.#last,
      waits: this.#parts.waits?.() ?? null,
      unkept: this.#unkept === null ? null : { folder: config.settings.state, error: this.#unkept },
    }
  }

  /** Makes reloads wait for the end of the start. */
  begin(start: Promise<void>): void {
    this.#queue = start.then(() => this.#retryBrokenFile()).catch(() => {})
  }

  /**
   * Logs the problems of the configuration at the start. If the file cannot run, logs an error that the kept
   * configuration runs instead.
   */
  logStart(): void {
    const { log, loaded } = this.#parts
    if (this.#kept) {
      const { acceptedAt, problems } = this.#kept
      logProblems(log, problems)
      const message = errorsText(problems, loaded.config.file)
      this.#last = {
        ...{ ok: false, at: new Date().toISOString(), problems, isStart: true },
        message: `${message}; the last accepted configuration runs`,
      }
      const fields = { file: loaded.config.file, acceptedAt, ...firstError(problems) }
      const kept = `the configuration accepted at ${acceptedAt} runs`
      log.error('config.refused', fields, `the configuration cannot run: ${message}; ${kept}`)
    }
    logProblems(log, loaded.problems)
  }

  /** Stores the active configuration for the next start. An error is logged once; it is tried again until it works. */
  keep(): void {
    if (this.#kept) return
    this.#keeping = this.#keeping.then(() => this.#store(this.#loaded))
  }

  async #store(loaded: Runnable): Promise<void> {
    const { log, keep, clock = systemClock } = this.#parts
    this.#cancelStore()
    try {
      await keep?.(loaded)
      if (this.#unkept !== null) log.info('config.kept', {}, 'the accepted configuration is stored')
      this.#unkept = null
    } catch (error) {
      if (!this.#isStopped) this.#cancelStore = clock.alarm(STORE_RETRY, () => this.keep())
      const { message } = error as Error
      if (this.#unkept === null)
        log.warn(
          'config.not-kept',
          { error: message },
          'lvsd cannot store the accepted configuration; a later start with a broken file would fail',
        )
      this.#unkept = message
    }
  }

  #retryBrokenFile(): void {
    if (this.#kept) this.#brokenFile.every(KEPT_RETRY_EVERY)
  }

  /** Reloads if the file can run now. Otherwise nothing is logged. */
  async #retryFile(): Promise<void> {
    if (!this.#kept || this.#isStopped) return
    const next = await this.#load().catch(() => null)
    if (next && refusalReason(next, this.#loaded, false) === null) await this.reload(false)
  }

  /** Reloads the configuration. Requests that arrive during a reload share one further reload. */
  reload(isForced: boolean): Promise<ReloadOutcome> {
    const waiting = this.#waiting.get(isForced)
    if (waiting) return waiting
    const outcome = this.#queue.then(() => {
      this.#waiting.delete(isForced)
      return this.#reload(isForced)
    })
    this.#waiting.set(isForced, outcome)
    this.#queue = outcome.catch(() => {})
    return outcome
  }

  /**
   * Reload by `autoreload`. Runs after the current reload, and waits for a complete file, unlike a reload on request.
   */
  reloadByItself(isSettled: boolean): Promise<Verdict> {
    const verdict = this.#queue
      .then(() => this.#tryReload(isSettled))
      .catch((error): Verdict => {
        this.#parts.log.error('reload.failed', { err: error }, 'reload failed')
        return 'later'
      })
    this.#queue = verdict
    return verdict
  }

  /**
   * Reloads if the last reload was refused for a cause outside the files, and they are again those of the active
   * configuration, or those that were refused before, so that the refusal does not stand for ever. Never rejects.
   */
  clearRefusal(): Promise<void> {
    const done = this.#queue
      .then(() => this.#reloadSame())
      .catch(error => this.#parts.log.error('reload.failed', { err: error }, 'reload failed'))
    this.#queue = done
    return done
  }

  async #reloadSame(): Promise<void> {
    if (this.#isStopped || this.#last?.ok !== false) return
    const isActive = isSameRead(this.#lastRead, this.#loaded)
    if (!isActive && !mayBeAccepted(this.#last.problems)) return
    const loaded = await this.#load()
    if (!isSameRead(this.#lastRead, loaded)) return
    if (!isActive || refusalReason(loaded, this.#loaded, false) === null) await this.#reload(false, loaded)
  }

  /** Resolves when all reloads requested so far are done. */
  async idle(): Promise<void> {
    await this.#queue
  }

  /** Refuses all further reloads. */
  stop(): void {
    this.#isStopped = true
    this.#cancelStore()
    void this.#brokenFile.stop()
  }

  /** Resolves when the accepted configuration is stored, after `patience` milliseconds at most. */
  async close(patience: number): Promise<void> {
    await waitAtMost(patience, this.#keeping)
  }

  /** Reads the configuration again. Services and real servers that are equal to active ones are the same objects. */
  async #load(): Promise<Loaded> {
    const loaded = await this.#parts.load(this.#loaded)
    if (!loaded.config) return loaded
    return { ...loaded, config: await runSliced(sharingWith(this.#loaded.config, loaded.config)) }
  }

  /**
   * Reloads, unless the content has been handled already, may be incomplete, or would be refused for the same problems.
   */
  async #tryReload(isSettled: boolean): Promise<Verdict> {
    if (this.#isStopped) return 'taken'
    const loaded = await this.#load()
    if (isSameRead(this.#lastRead, loaded)) {
      // A reload on request has handled this content meanwhile, or it was there for a moment again, in place of the one that was
      // noticed: that one must not count as handled. Of a file that cannot be parsed, the files that it includes are not read.
      if (loaded.included) this.#parts.considered(loaded)
      return 'taken'
    }
    if (!isSettled && mayBePart(loaded, this.#loaded)) return 'unsettled'
    const { problems } = loaded
    const isKnown = this.#last?.ok === false && isSame(this.#last.problems, problems)
    if (isKnown && mayBeAccepted(problems)) return 'later'
    const { ok } = await this.#reload(false, loaded)
    return !ok && mayBeAccepted(problems) ? 'later' : 'taken'
  }

  async #reload(isForced: boolean, read?: Loaded): Promise<ReloadOutcome> {
    const { log, notify, enter } = this.#parts
    if (this.#isStopped)
      return { ok: false, at: new Date().toISOString(), message: 'lvsd is stopping', problems: [] }
    notify.reloading()
    enter('reloading')
    const { config: before } = this.#loaded
    const { refusal, problems } = await this.#takeOver(isForced, read).catch(error => {
      log.error('reload.failed', { err: error }, 'reload failed')
      return { refusal: `lvsd could not read it: ${error.message}`, problems: [] }
    })
    const ok = refusal === null
    const { message, isLess } =
      refusal === null ? await this.#changesSince(before) : { message: refusal, isLess: false }
    this.#last = { ok, at: new Date().toISOString(), message, problems }
    // Last: to write all of it takes long, and nobody waits for that.
    const end = () => {
      if (this.#loaded.config !== before) this.keep()
      return this.#last as ReloadOutcome
    }
    // lvsd is stopping: the state that `stop` has reported must not change.
    if (this.#isStopped) return end()
    logProblems(log, problems)
    const told = ok ? `reload: ${message}` : `reload refused: ${message}`
    const { file } = this.#loaded.config
    // What takes a server away is a warning, as an override is.
    if (ok) log[isLess ? 'warn' : 'info']('reload.accepted', { file }, told)
    else log.error('reload.refused', { file, ...firstError(problems) }, told)
    notify.ready(ok ? message : told)
    enter('running')
    return end()
  }

  /** `isLess`: services or real servers are gone. */
  async #changesSince(before: Config): Promise<{ message: string; isLess: boolean }> {
    const { config } = this.#loaded
    const { settings, ...others } = await runSliced(countingChanges(before, config))
    const later = this.#fromNextStart()
    const changes = changesText({ ...others, settings: settings.filter(name => !later.includes(name)) })
    const inForce = `the configuration of ${counted(config.services.length, 'service')} is in force (${changes})`
    return {
      message: later.length === 0 ? inForce : `${inForce}; ${fromNextStartText(later)}`,
      isLess: others.services.removed + others.reals.removed > 0,
    }
  }

  #fromNextStart(): string[] {
    return fromNextStart(this.#parts.loaded.config.settings, this.#loaded.config.settings)
  }

  /** Reads the configuration, unless `read` is given, and activates it. Returns a sentence if it is refused. */
  async #takeOver(
    isForced: boolean,
    read?: Loaded,
  ): Promise<{ refusal: string | null; problems: readonly Problem[] }> {
    const loaded = read ?? (await this.#load())
    // A reload on request also handles a change that `autoreload` would have noticed.
    if (!mayBeAccepted(loaded.problems)) {
      this.#lastRead = loaded
      this.#parts.considered(loaded)
    }
    const { config, problems } = loaded
    // With thousands of servers both the read above and the steps below take long, so other events get a turn between
    // them.
    await setImmediate()
    const refusal = this.#isStopped ? 'lvsd is stopping' : refusalReason(loaded, this.#loaded, isForced)
    if (refusal === null && config) {
      this.#loaded = { ...loaded, config }
      this.#loadedAt = steadyNow()
      this.#kept = null
      void this.#brokenFile.stop()
      await this.#parts.apply()
    }
    return { refusal, problems }
  }
}

function isSameRead(a: Kept['read'], b: Kept['read']): boolean {
  return a.text === b.text && isSameValue(a.included ?? [], b.included ?? [])
}

function isSame(a: readonly Problem[], b: readonly Problem[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Returns the first error, so that an event and an alert say more than that there are errors. */
function firstError(problems: readonly Problem[]): { detail?: string } {
  const [first] = errorsIn(problems)
  return first ? { detail: inOneLine(first) } : {}
}
