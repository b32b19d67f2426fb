/**
 * ldirectord's fallbackcommand: `COMMAND start VIRTUAL PROTOCOL` when the last real server of a service no longer gets
 * traffic, `stop` when the first one does again. Each is said once: what was begun is in the journal, so that a restart
 * neither repeats it nor forgets to end it.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { endpoint } from '../core/address.js'
import { type Change, type Config, type DaemonPhase, keyOfService, type Service } from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { CommandQueue } from './command-queue.js'

type Word = 'start' | 'stop'

/** The command of one service. */
interface CommandState {
  readonly name: string
  /** Null: there is none, and nothing is told. */
  readonly command: string | null
  /** `[2001:db8::80]:80 tcp`. */
  readonly virtual: readonly string[]
  /** `keyOfService`, or null while it has none. */
  readonly key: string | null
  /** What it was run with last, and what it should be run with: they differ while a command runs. */
  lastSent: Word
  wanted: Word
  isBusy: boolean
}

export interface FallbackCommandsParts {
  readonly queue: CommandQueue
  readonly journal: Pick<Journal, 'begun' | 'recordBegun'>
  readonly log: Log
}

/** Milliseconds that commands under way are given when lvsd stops. */
const LAST_PATIENCE = 5000

export class FallbackCommands implements EventListener {
  readonly #parts: FallbackCommandsParts
  readonly #states = new Map<string, CommandState>()
  /** By key: those that the configuration no longer has, until they have been run with `stop`. */
  readonly #leaving = new Map<string, CommandState>()
  /** By name of the service: does any server get traffic? */
  readonly #availability = new Map<string, boolean>()
  readonly #started: Set<string>
  #phase: DaemonPhase = 'starting'
  #saving: Promise<void> | null = null

  constructor(parts: FallbackCommandsParts) {
    this.#parts = parts
    this.#started = new Set(parts.journal.begun)
  }

  phase(phase: DaemonPhase): void {
    this.#phase = phase
  }

  /** What an earlier version of the file has begun is ended; what it says now begins where the other has ended. */
  config(config: Config): void {
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
    // What an earlier run has begun by a command that is no more cannot be ended by anybody.
    const keys = new Set(config.services.map(service => keyOf(newState(service))))
    for (const key of this.#started) if (!keys.has(key) && !this.#leaving.has(key)) this.#started.delete(key)
  }

  traffic(service: Service, hasTraffic: boolean): void {
    this.#availability.set(service.name, hasTraffic)
    this.#send(service)
  }

  applied(changes: readonly Change[]): void {
    if (this.#phase !== 'stopping') return
    // A service that goes with lvsd leaves nothing behind; one that stays has its fallback in the table, too.
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

  #send(service: Service): void {
    if (service.fallbackcommand === null) return
    const state = this.#states.get(service.name) ?? this.#open(service)
    void this.#advance(state, this.#availability.get(service.name) ? 'stop' : 'start')
  }

  /** A command that comes back before it has been run with `stop` is the same one. */
  #open(service: Service): CommandState {
    const fresh = newState(service)
    const key = keyOf(fresh)
    const state = this.#leaving.get(key) ?? fresh
    this.#leaving.delete(key)
    if (state === fresh && this.#started.has(key)) state.lastSent = 'start'
    this.#states.set(service.name, state)
    return state
  }

  /** A command that takes long is not run for each change meanwhile: only for where it has come to. */
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

  /** One writing for all services that fall in the same moment: each waits for the disk. */
  #save(): Promise<void> {
    const { journal, log } = this.#parts
    this.#saving ??= setImmediate().then(() => {
      this.#saving = null
      try {
        journal.recordBegun(this.#started)
      } catch (error) {
        log.error(
          'hook.not-kept',
          { error: (error as Error).message },
          'what a fallbackcommand was told cannot be kept',
        )
      }
    })
    return this.#saving
  }
}

function newState(service: Service): CommandState {
  const { name, fallbackcommand, id } = service
  const virtual = virtualOf(service)
  const key = id && keyOfService(id)
  return { name, command: fallbackcommand, virtual, key, lastSent: 'stop', wanted: 'stop', isBusy: false }
}

/** `web [2001:db8::80]:80 tcp 1f40fc92da24`: the command itself may hold what is not for everybody. */
function keyOf({ name, virtual, command }: CommandState): string {
  const digest = createHash('sha256').update(`${command}`).digest('hex')
  return [name, ...virtual, digest.slice(0, 12)].join(' ')
}

function isSame(one: CommandState, other: CommandState): boolean {
  return keyOf(one) === keyOf(other)
}

/** `[2001:db8::80]:80 tcp`; `:0 fwm` for a firewall mark. */
function virtualOf({ id, unresolved }: Service): readonly string[] {
  if (id?.kind === 'address') return [endpoint(id.address, id.port), id.protocol]
  return id ? [':0', 'fwm'] : [`:${unresolved?.port}`, unresolved?.protocol ?? 'tcp']
}
