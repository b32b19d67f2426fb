/** A real Redis for tests, in a folder of its own, on ::1. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Connection, openConnection } from '../../src/cluster/redis/client.js'
import { aclLine } from '../../src/core/redis-commands.js'
import type { RedisSettings } from '../../src/core/redis-settings.js'
import { mark } from '../../src/system/process-marks.js'
import { onCleanup } from './after-each.js'
import { folderOf, freePort, programOr } from './checks/programs.js'
import { until } from './until.js'

/** Settings without a password; the parts of `over` replace theirs. */
export function redisSettings(port: number, over: Partial<RedisSettings> = {}): RedisSettings {
  return {
    url: { host: '::1', port, database: 0, tls: false },
    sentinels: null,
    cluster: null,
    tls: null,
    username: null,
    password: null,
    prefix: 'lvsd',
    ...over,
  }
}

export interface RedisServerParts {
  readonly file: string
  readonly port: number
  /** A configuration file in place of the common options, `{FOLDER}/x.conf`; for a sentinel. */
  readonly conf?: string
  /** Options of its command line, in addition. */
  readonly options?: readonly string[]
  /** Files of its folder, `{FOLDER}` in the options. */
  readonly files?: Readonly<Record<string, string>>
}

export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #parts: RedisServerParts
  #child: ChildProcess | null = null

  constructor(parts: RedisServerParts) {
    this.#parts = parts
    this.port = parts.port
    this.folder = folderOf(parts.files ?? {})
    onCleanup(() => this.kill())
  }

  /** Starts it, and waits until it listens. */
  async start(...more: readonly string[]): Promise<this> {
    const { file, port, conf, options = [] } = this.#parts
    const common = ['--bind', '::1', '--save', '', '--appendonly', 'no', '--loglevel', 'warning']
    const begin = conf === undefined ? [...common, '--dir', this.folder] : [conf]
    const words = [...begin, '--port', `${port}`, ...options, ...more]
    const argv = words.map(word => word.replaceAll('{FOLDER}', this.folder))
    const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.resume()
    if (child.pid !== undefined) mark(child.pid, 'hook')
    this.#child = child
    await until(() => listens(port), { what: `redis-server on port ${port}` })
    return this
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Sends commands as an operator, and returns their answers. */
  async tell(...commands: readonly (readonly (string | number)[])[]): Promise<readonly unknown[]> {
    const { connection, close } = await this.operator()
    try {
      const answers: unknown[] = []
      for (const [name = '', ...args] of commands)
        answers.push(await connection.send(name as never, args.map(String)))
      return answers
    } finally {
      close()
    }
  }

  async operator(over: Partial<RedisSettings> = {}): Promise<{ connection: Connection; close(): void }> {
    const connection = await openConnection({
      settings: redisSettings(this.port, over),
      attempt: 0,
      onEnd: () => {},
      onMessage: () => {},
    })
    return { connection, close: () => connection.close() }
  }
}

/** The program: that of the variable REDIS_SERVER, such as one of another version, or the one that is installed. */
export function redisProgram(skip: () => void): string {
  return process.env.REDIS_SERVER ?? programOr(skip, 'redis-server', 'redis-server')
}

/** Its version as a number: 6, 6.2, 7, 8.1. */
export function redisVersion(file: string): number {
  const told = execFileSync(file, ['--version'], { encoding: 'utf8' })
  return Number.parseFloat(/\bv=(\d+\.\d+)/.exec(told)?.[1] ?? '')
}

/** Redis 6.0 has no permissions for channels, as the documents say. */
export const CHANNEL_PERMISSIONS = 6.2

/** A port of a node of Redis Cluster. Its other one is higher by 10,000, and must not be of those for clients. */
export async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 22_000) return port
  }
}

/** The user that lvsd is at a server of `aclServer`. */
export const LOGIN = { username: 'lvsd', password: 'geheim' }

/** Starts a server with the ACL line of the documents for `LOGIN`; its operators need no password. */
export async function aclServer(file: string): Promise<RedisServer> {
  const line = aclLine(LOGIN.username, 'lvsd').replace('PASSWORD', LOGIN.password)
  const text = `user default on nopass ~* &* +@all\n${line}\n`
  const hasChannels = redisVersion(file) >= CHANNEL_PERMISSIONS
  return redisServer({
    file,
    port: await freePort(),
    options: ['--aclfile', '{FOLDER}/users.acl'],
    files: { 'users.acl': hasChannels ? text : text.replaceAll(/ resetchannels| &\S+/g, '') },
  })
}

/** Starts a server. */
export function redisServer(parts: RedisServerParts): Promise<RedisServer> {
  return new RedisServer(parts).start()
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '::1', port })
    socket.once('connect', () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
  })
}
