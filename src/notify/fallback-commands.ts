/**
 * ldirectord's fallbackcommand: `COMMAND start VIRTUAL PROTOCOL` when the last real server of a service no longer gets
 * traffic, `stop` when the first one does again. Each is said once: what was begun is in the journal, so that a restart
 * neither repeats it nor forgets to end it.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { endpoint } from '../core/address.js'
import { type Config, type DaemonPhase, keyOfService, type Service } from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { CommandQueue } from './command-queue.js'

type Word = 'start' | 'stop'

/** The command of one service. */
interface Post {
  readonly name: string
  /** Null: there is none, and nothing is told. */
  readonly command: string | null
  /** `[2001:db8::80]:80 tcp`. */
  readonly virtual: readonly string[]
  /** `keyOfService`, or null while it has none. */
  readonly key: string | null
  /** What it was told last, and what it should be told: they differ while a command runs. */
  told: Word
  wanted: Word
  isBusy: boolean
}

export interface FallbackCommandsParts {
  readonly hooks: CommandQueue
  readonly journal: Pick<Journal, 'begun' | 'recordBegun'>
  readonly log: Log
}

/** Milliseconds that commands under way are given when lvsd stops. */
const LAST_PATIENCE = 5000

export function fallbackCommands({ hooks, journal, log }: FallbackCommandsParts): EventListener {
  const posts = new Map<string, Post>()
  /** By mark: those that the configuration no longer has, until they have been told to stop. */
  const leaving = new Map<string, Post>()
  /** By name of the service: does any server get traffic? */
  const traffic = new Map<string, boolean>()
  const begun = new Set(journal.begun)
  let phase: DaemonPhase = 'starting'

  let saving: Promise<void> | null = null

  /** One writing for all services that fall in the same moment: each waits for the disk. */
  const save = (): Promise<void> => {
    saving ??= setImmediate().then(() => {
      saving = null
      try {
        journal.recordBegun(begun)
      } catch (error) {
        log.error({ error: (error as Error).message }, 'what a fallbackcommand was told cannot be kept')
      }
    })
    return saving
  }

  const remember = (post: Post, word: Word): Promise<void> => {
    if (word === 'start') begun.add(markOf(post))
    else begun.delete(markOf(post))
    return save()
  }

  /** A command that takes long is not run for each change meanwhile: only for where it has come to. */
  const drive = async (post: Post, wanted: Word) => {
    post.wanted = wanted
    if (post.isBusy) return
    post.isBusy = true
    while (post.told !== post.wanted) {
      const word = post.wanted
      post.told = word
      await remember(post, word)
      if (post.command !== null) await hooks.run(post.name, post.command, [word, ...post.virtual])
    }
    post.isBusy = false
    if (leaving.get(markOf(post)) === post) leaving.delete(markOf(post))
  }

  /** A command that comes back before it has been told to stop is the same one. */
  const open = (service: Service): Post => {
    const fresh = newPost(service)
    const mark = markOf(fresh)
    const post = leaving.get(mark) ?? fresh
    leaving.delete(mark)
    if (post === fresh && begun.has(mark)) post.told = 'start'
    posts.set(service.name, post)
    return post
  }

  /** What an earlier version of the file has begun is ended; what it says now begins where the other has ended. */
  const follow = (config: Config) => {
    const services = new Map(config.services.map(service => [service.name, service]))
    for (const post of [...posts.values()]) {
      const service = services.get(post.name)
      if (service && isSame(post, newPost(service))) continue
      posts.delete(post.name)
      leaving.set(markOf(post), post)
      void drive(post, 'stop')
    }
    for (const name of traffic.keys()) {
      const service = services.get(name)
      if (service) tell(service)
      else traffic.delete(name)
    }
    // What an earlier run has begun by a command that is no more cannot be ended by anybody.
    const marks = new Set(config.services.map(service => markOf(newPost(service))))
    for (const mark of begun) if (!marks.has(mark) && !leaving.has(mark)) begun.delete(mark)
  }

  const tell = (service: Service) => {
    if (service.fallbackcommand === null) return
    const post = posts.get(service.name) ?? open(service)
    void drive(post, traffic.get(service.name) ? 'stop' : 'start')
  }

  return {
    phase(now) {
      phase = now
    },
    config: follow,
    traffic(service, hasTraffic) {
      traffic.set(service.name, hasTraffic)
      tell(service)
    },
    applied(changes) {
      if (phase !== 'stopping') return
      // A service that goes with lvsd leaves nothing behind; one that stays has its fallback in the table, too.
      const gone = new Set(
        changes.flatMap(change => (change.op === 'delete-service' ? keyOfService(change.id) : [])),
      )
      for (const post of posts.values()) if (post.key && gone.has(post.key)) void drive(post, 'stop')
    },
    async close() {
      await saving
      await hooks.close(LAST_PATIENCE)
    },
  }
}

function newPost(service: Service): Post {
  const { name, fallbackcommand, id } = service
  const virtual = virtualOf(service)
  const key = id && keyOfService(id)
  return { name, command: fallbackcommand, virtual, key, told: 'stop', wanted: 'stop', isBusy: false }
}

/** `web [2001:db8::80]:80 tcp 1f40fc92da24`: the command itself may hold what is not for everybody. */
function markOf({ name, virtual, command }: Post): string {
  const digest = createHash('sha256').update(`${command}`).digest('hex')
  return [name, ...virtual, digest.slice(0, 12)].join(' ')
}

function isSame(one: Post, other: Post): boolean {
  return markOf(one) === markOf(other)
}

/** `[2001:db8::80]:80 tcp`; `:0 fwm` for a firewall mark. */
function virtualOf({ id, unresolved }: Service): readonly string[] {
  if (id?.kind === 'address') return [endpoint(id.address, id.port), id.protocol]
  return id ? [':0', 'fwm'] : [`:${unresolved?.port}`, unresolved?.protocol ?? 'tcp']
}
