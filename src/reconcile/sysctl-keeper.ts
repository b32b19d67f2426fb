/**
 * Sets the sysctls that the configuration declares, maintains them, and restores the former values. The former value
 * is on the disk before the kernel has the new one, so a restart after kill -9 knows it. A reboot makes it void.
 *
 *   declared   former value   the kernel has         what happens
 *   yes        not known      any value              the value becomes the former value; set
 *   yes        known          the declared value     nothing
 *   yes        known          another one            another program changed it: set again
 *   no         known          what lvsd set          restored, forgotten
 *   no         known          another one            another program changed it: left as it is, forgotten
 *
 * At an orderly end nothing is declared any more, unless the values are to be kept.
 */
import { sameValue, sysctlParts } from '../core/sysctl.js'
import { bootId } from '../storage/journal.js'
import { type EntryForm, StateFile } from '../storage/state-file.js'
import type { Log } from '../system/log.js'
import type { Sysctls } from '../system/sysctl.js'
import type { Clock } from '../util/clock.js'
import { Poller } from '../util/poller.js'

/** Values by name. */
export type Declared = Readonly<Record<string, string>>

export interface SysctlState {
  readonly name: string
  readonly declared: string
  /** Value of the kernel when last read; null if it cannot be read. */
  readonly value: string | null
  /** Value before lvsd set it; null if it has not. */
  readonly former: string | null
  /** Why the declared value is not in force: one sentence; null if it is. */
  readonly trouble: string | null
  /** How often another program has changed it since the start of lvsd. */
  readonly changesByOthers: number
}

export interface SysctlKeeperParts {
  /** Null: nothing is set, as with the memory table. */
  readonly sysctls: Sysctls | null
  /** File of the former values; null: they end with the process. */
  readonly path: string | null
  readonly log: Log
  readonly clock?: Pick<Clock, 'alarm'>
  /** Replaced in tests. */
  readonly boot?: string
}

/** A sysctl that lvsd has set, or is about to. */
interface Held {
  readonly name: string
  readonly former: string
  /** The declared value that was written; null before the first write. */
  readonly written: string | null
  /** The value that the kernel shows after the write. */
  readonly set: string
  readonly boot: string
}

interface Standing {
  value: string | null
  trouble: string | null
  /** The error that was logged last. */
  told: string | null
  changesByOthers: number
  /** Rounds since another program changed it. */
  quiet: number
}

/** After this many rounds without a change by others the next one is a warning again. */
const QUIET_ROUNDS = 10

export class SysctlKeeper {
  readonly #parts: SysctlKeeperParts
  readonly #log: Log
  readonly #boot: string
  readonly #rounds: Poller
  readonly #held = new Map<string, Held>()
  readonly #standings = new Map<string, Standing>()
  #declared: Declared = {}
  #file: StateFile<Held> | null = null
  #turn: Promise<void> = Promise.resolve()
  /** Nothing is restored before the first `follow`: another lvsd may run, and this one fail to start. */
  #isFollowing = false

  constructor(parts: SysctlKeeperParts) {
    this.#parts = parts
    this.#log = parts.log
    this.#boot = parts.boot ?? bootId()
    this.#rounds = new Poller('sysctls', () => this.check(), {
      log: parts.log,
      ...(parts.clock && { clock: parts.clock }),
    })
  }

  /** Reads what earlier runs have set. Never rejects. */
  async load(): Promise<void> {
    const { path, log, sysctls } = this.#parts
    if (path === null || sysctls === null) return
    const { file, entries } = await StateFile.open({ path, form: FORM, log })
    this.#file = file
    for (const held of entries) if (held.boot === this.#boot) this.#held.set(held.name, held)
  }

  /** Sets what is declared, and restores what no longer is. Never rejects. */
  follow(declared: Declared): Promise<void> {
    this.#isFollowing = true
    return this.#next(async sysctls => {
      this.#declared = declared
      await this.#restoreOthers(sysctls)
      for (const name of this.#standings.keys())
        if (!Object.hasOwn(declared, name)) this.#standings.delete(name)
      await this.#setAll(sysctls)
    })
  }

  /** Repeats `check` with pauses of `ms` milliseconds. */
  checkEvery(ms: number): void {
    this.#rounds.every(ms)
  }

  /** Sets again what another program has changed, or what could not be set before. */
  check(): Promise<void> {
    return Object.keys(this.#declared).length === 0
      ? Promise.resolve()
      : this.#next(sysctls => this.#setAll(sysctls))
  }

  /** Ends the rounds. Restores the former values, unless they are to be kept for the next start. */
  async close({ keep, patience }: { readonly keep: boolean; readonly patience: number }): Promise<void> {
    await this.#rounds.stop()
    if (this.#isFollowing && !keep)
      await this.#next(sysctls => {
        this.#declared = {}
        return this.#restoreOthers(sysctls)
      })
    await this.#file?.close(patience)
  }

  snapshot(): readonly SysctlState[] {
    return Object.entries(this.#declared).map(([name, declared]) => {
      const standing = this.#standings.get(name)
      const held = this.#held.get(name)
      return {
        name,
        declared,
        value: standing?.value ?? null,
        former: held && held.written !== null ? held.former : null,
        trouble: standing?.trouble ?? null,
        changesByOthers: standing?.changesByOthers ?? 0,
      }
    })
  }

  /** One step after the other. */
  #next(work: (sysctls: Sysctls) => Promise<void>): Promise<void> {
    const { sysctls } = this.#parts
    if (sysctls === null) return Promise.resolve()
    this.#turn = this.#turn
      .then(() => work(sysctls))
      .catch(err => {
        this.#log.error('poll.failed', { what: 'sysctls', err }, 'periodic work failed')
      })
    return this.#turn
  }

  // -------------------------------------------------------------- setting

  async #setAll(sysctls: Sysctls): Promise<void> {
    await this.#recordFormer(sysctls)
    let isChanged = false
    for (const [name, declared] of Object.entries(this.#declared)) {
      const standing = this.#standings.get(name) ?? newStanding()
      this.#standings.set(name, standing)
      try {
        isChanged = this.#setOne(name, declared, standing, sysctls) || isChanged
      } catch (error) {
        standing.trouble = this.#troubleOf(name, declared, error as NodeJS.ErrnoException, standing)
      }
    }
    if (isChanged) await this.#save()
    this.#reportTroubles()
  }

  /** The former values are on the disk before the first write. */
  async #recordFormer(sysctls: Sysctls): Promise<void> {
    let isNew = false
    for (const name of Object.keys(this.#declared)) {
      const former = this.#held.has(name) ? null : readOrNull(name, sysctls)
      if (former === null) continue
      this.#held.set(name, { name, former, written: null, set: former, boot: this.#boot })
      isNew = true
    }
    if (isNew) await this.#save()
  }

  /** Returns whether the held value has changed. Throws the error of the file system. */
  #setOne(name: string, declared: string, standing: Standing, sysctls: Sysctls): boolean {
    const found = sysctls.read(name)
    standing.value = found
    const held = this.#held.get(name) ?? { name, former: found, written: null, set: found, boot: this.#boot }
    const isOurs = held.written === declared
    standing.quiet++
    if (isOurs && sameValue(found, held.set)) {
      if (sameValue(found, declared)) standing.trouble = null
      return false
    }
    if (isOurs) this.#reportDrift(name, found, held.set, standing)
    if (!sameValue(found, declared)) sysctls.write(name, declared)
    const set = sysctls.read(name)
    standing.value = set
    standing.trouble = sameValue(set, declared) ? null : `${name}: the kernel makes ${set} of ${declared}`
    if (!isOurs && !sameValue(found, set))
      this.#log.info(
        'sysctl.set',
        { sysctl: name, from: found, to: set },
        `${name} was ${found} and is ${set}`,
      )
    this.#held.set(name, { ...held, written: declared, set })
    return !isOurs || held.set !== set
  }

  #reportDrift(name: string, from: string, to: string, standing: Standing): void {
    standing.changesByOthers++
    const level = standing.quiet > QUIET_ROUNDS || standing.changesByOthers === 1 ? 'warn' : 'debug'
    standing.quiet = 0
    this.#log[level](
      'sysctl.drift',
      { sysctl: name, from, to },
      `another program set ${name} to ${from}; lvsd sets it to ${to} again`,
    )
  }

  #troubleOf(name: string, declared: string, error: NodeJS.ErrnoException, standing: Standing): string {
    const { code = '', message } = error
    if (code === 'ENOENT') {
      standing.value = null
      return `${name}: the kernel has no such sysctl`
    }
    if (['EACCES', 'EPERM', 'EROFS'].includes(code))
      return `${name} stays ${standing.value ?? 'as it is'}, not ${declared}: lvsd may not set it. ${REMEDY}`
    return `${name} cannot be ${declared}: ${code === 'EINVAL' || code === 'ERANGE' ? 'the kernel refuses this value' : message}`
  }

  /** Logs each error once, and its end. */
  #reportTroubles(): void {
    for (const [name, standing] of this.#standings) {
      const { trouble, told } = standing
      if (trouble !== null && trouble !== told) this.#log.error('sysctl.failed', { sysctl: name }, trouble)
      if (trouble === null && told !== null)
        this.#log.info('sysctl.works', { sysctl: name }, `${name} is set`)
      standing.told = trouble
    }
  }

  // -------------------------------------------------------------- restoring

  /** Restores what is not declared. */
  async #restoreOthers(sysctls: Sysctls): Promise<void> {
    const others = [...this.#held.values()].filter(({ name }) => !Object.hasOwn(this.#declared, name))
    for (const held of others) {
      this.#restore(held, sysctls)
      this.#held.delete(held.name)
      this.#standings.delete(held.name)
    }
    if (others.length > 0) await this.#save()
  }

  #restore({ name, former, written, set }: Held, sysctls: Sysctls): void {
    if (written === null || sameValue(set, former)) return
    try {
      const found = sysctls.read(name)
      if (!sameValue(found, set)) {
        const message = `${name} stays ${found}, because another program has set it`
        this.#log.info('sysctl.left', { sysctl: name, from: found }, message)
        return
      }
      sysctls.write(name, former)
      const message = `${name} was ${found} and is ${former} again`
      this.#log.info('sysctl.restored', { sysctl: name, from: found, to: former }, message)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      // What is gone with its module or interface needs no former value.
      if (code !== 'ENOENT')
        this.#log.error('sysctl.failed', { sysctl: name }, `${name} cannot be ${former} again: ${message}`)
    }
  }

  async #save(): Promise<void> {
    await this.#file?.save([...this.#held.values()])
  }
}

const REMEDY =
  'Where the unit forbids it, the drop-in deploy/lvsd.service.d/sysctls.conf allows it; see deploy/README.md'

function newStanding(): Standing {
  return { value: null, trouble: null, told: null, changesByOthers: 0, quiet: 0 }
}

function readOrNull(name: string, sysctls: Sysctls): string | null {
  try {
    return sysctls.read(name)
  } catch {
    return null
  }
}

const FORM: EntryForm<Held> = {
  name: 'former sysctls',
  version: 1,
  read(value) {
    const { name, former, written, set, boot } = value as Record<keyof Held, unknown>
    if (typeof name !== 'string' || sysctlParts(name) === null) throw new Error('not the name of a sysctl')
    return {
      name,
      former: String(former),
      written: written === null ? null : String(written),
      set: String(set),
      boot: String(boot),
    }
  },
}
