/**
 * ldirectord's fallbackcommand: runs `COMMAND start VIRTUAL PROTOCOL` when the last real server of a service stops
 * getting traffic, and `stop` when the first one gets traffic again. Each is run once: started commands are in the
 * journal, so that a restart neither repeats a start nor omits a stop.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { endpoint } from '../core/address.js'
import {
  type Change,
  type DaemonPhase,
  keyOfService,
  type ResolvedConfig,
  type ResolvedService,
} from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { CommandQueue } from './command-queue.js'

type Word = 'start' | 'stop'

/** State of the command of one service. */
interface CommandState {
  readonly name: string
  /** Null if the service has no command. */
  readonly command: string | null
  /** `[2001:db8::80]:80 tcp`. */
  readonly virtual: readonly string[]
  /** `keyOfService`, or null while the service has no address. */
  readonly key: string | null
  /** The word of the last run and the desired one. They differ while a command runs. */
  lastSent: Word
  wanted: Word
  isBusy: boolean
}

export interface FallbackCommandsParts {
  readonly queue: CommandQueue
  readonly journal: Pick<Journal, 'begun' | 'recordBegun'>
  readonly log: Log
}

/** Milliseconds that running commands have when lvsd stops. */
const LAST_PATIENCE = 5000

export class FallbackCommands implements EventListener {
  readonly #parts: FallbackCommandsParts
  readonly #states = new Map<string, CommandState>()
  /** By key: commands that are no longer configured and have not been run with `stop` yet. */
  readonly #leaving = new Map<string, CommandState>()
  /** By name of the service: whether any server gets traffic. */
  readonly #availability = new Map<string, boolean>()
  readonly #started: Set<string>
  #phase: DaemonPhase = 'starting'
  #saving: Promise<void> | null = null
  /** True while the journal cannot be written: logged once. */
  #isUnkept = false

  constructor(parts: FallbackCommandsParts) {
    this.#parts = parts
    this.#started = new Set(parts.journal.begun)
  }

  phase(phase: DaemonPhase): void {
    this.#phase = phase
  }

  /** Stops commands of the old configuration, and starts those of the new one afterwards. */
  config(config: ResolvedConfig): void {
    const services = new Map(config.services.map(service => [service.name, service]))
    for (const state of [...this.#states.values()]) {
      const service = services.get(state.name)
      if (service && isSame(state, newState(service))) continue
      this.#states.delete(state.name)
      this.#leaving.set(keyOf(state), state)
      void this.#advance(state, 'stop')
    }
    for (const name of this.#availability.keys()) {
      const service = services.get(name)
      if (service) this.#send(service)
      else this.#availability.delete(name)
    }
    if (this.#started.size === 0) return
    // Commands that an earlier process started and that are no longer configured cannot be stopped.
    const keys = new Set(config.services.map(service => keyOf(newState(service))))
    for (const key of this.#started) if (!keys.has(key) && !this.#leaving.has(key)) this.#started.delete(key)
  }

  traffic(service: ResolvedService, hasTraffic: boolean): void {
    this.#availability.set(service.name, hasTraffic)
    this.#send(service)
  }

  applied(changes: readonly Change[]): void {
    if (this.#phase !== 'stopping') return
    // A service that is removed at the stop of lvsd needs its `stop`. One that stays keeps its fallback in the table.
    const gone = new Set(
      changes.flatMap(change => (change.op === 'delete-service' ? keyOfService(change.id) : [])),
    )
    for (const state of this.#states.values())
      if (state.key && gone.has(state.key)) void this.#advance(state, 'stop')
  }

  async close(): Promise<void> {
    await this.#saving
    await this.#parts.queue.close(LAST_PATIENCE)
  }

  #send(service: ResolvedService): void {
    if (service.fallbackcommand === null) return
    const state = this.#states.get(service.name) ?? this.#open(service)
    void this.#advance(state, this.#availability.get(service.name) ? 'stop' : 'start')
  }

  /** Returns the state of a new service. A command that is configured again before its `stop` continues. */
  #open(service: ResolvedService): CommandState {
    const fresh = newState(service)
    const key = keyOf(fresh)
    const state = this.#leaving.get(key) ?? fresh
    this.#leaving.delete(key)
    if (state === fresh && this.#started.has(key)) state.lastSent = 'start'
    this.#states.set(service.name, state)
    return state
  }

  /** Runs the command until its last word is the desired one. Changes during a long run are combined. */
  async #advance(state: CommandState, wanted: Word): Promise<void> {
    state.wanted = wanted
    if (state.isBusy) return
    state.isBusy = true
    while (state.lastSent !== state.wanted) {
      const word = state.wanted
      state.lastSent = word
      await this.#remember(state, word)
      if (state.command !== null)
        await this.#parts.queue.run(state.name, state.command, [word, ...state.virtual])
    }
    state.isBusy = false
    if (this.#leaving.get(keyOf(state)) === state) this.#leaving.delete(keyOf(state))
  }

  #remember(state: CommandState, word: Word): Promise<void> {
    if (word === 'start') this.#started.add(keyOf(state))
    else this.#started.delete(keyOf(state))
    return this.#save()
  }

  /** One write for all services that change at the same time, because each of them waits for the disk. */
  #save(): Promise<void> {
    const { journal, log } = this.#parts
    this.#saving ??= setImmediate().then(() => {
      this.#saving = null
      try {
        journal.recordBegun(this.#started)
        this.#isUnkept = false
      } catch (error) {
        if (!this.#isUnkept)
          log.error(
            'hook.not-kept',
            { error: (error as Error).message },
            'the state of a fallbackcommand cannot be saved',
          )
        this.#isUnkept = true
      }
    })
    return this.#saving
  }
}

function newState(service: ResolvedService): CommandState {
  const { name, fallbackcommand, id } = service
  const virtual = virtualOf(service)
  const key = id && keyOfService(id)
  return { name, command: fallbackcommand, virtual, key, lastSent: 'stop', wanted: 'stop', isBusy: false }
}

/** `web [2001:db8::80]:80 tcp 1f40fc92da24`: a hash instead of the command, which may contain secrets. */
function keyOf({ name, virtual, command }: CommandState): string {
  const digest = createHash('sha256').update(`${command}`).digest('hex')
  return [name, ...virtual, digest.slice(0, 12)].join(' ')
}

function isSame(one: CommandState, other: CommandState): boolean {
  return keyOf(one) === keyOf(other)
}

/** `[2001:db8::80]:80 tcp`; `:0 fwm` for a firewall mark. */
function virtualOf({ id, virtual }: ResolvedService): readonly string[] {
  if (virtual.kind === 'fwmark') return [':0', 'fwm']
  const { protocol, port } = virtual
  return [id?.kind === 'address' ? endpoint(id.address, port) : `:${port}`, protocol]
}
