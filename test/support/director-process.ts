/** A director as a process, with the memory table and the Redis of a site. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchStatus } from '../../src/api/client.js'
import type { StatusDocument } from '../../src/api/status-types.js'
import { onCleanup } from './after-each.js'
import { installed } from './compile.js'
import { temporaryFolder } from './folder.js'
import { LOGIN } from './redis-server.js'

export interface DirectorProcessParts {
  /** Port of Redis on ::1. */
  readonly redis: number
  /** Lines of `cluster`, in addition to the site and its Redis. */
  readonly cluster?: string
  /** Lines below `settings`, in addition to the socket and the state. */
  readonly settings?: string
  /** The rest of the configuration. */
  readonly services: string
  /** Lines of the top level. */
  readonly more?: string
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The compiled program; that of this tree by default. */
  readonly main?: string
}

export class DirectorProcess {
  readonly folder = temporaryFolder()
  readonly main: string
  /** What it has logged. */
  log = ''
  readonly #parts: DirectorProcessParts
  #child: ChildProcess | null = null

  constructor(parts: DirectorProcessParts) {
    this.#parts = parts
    this.main = parts.main ?? installed('main')
    this.write(parts)
    onCleanup(() => this.kill())
  }

  get socket(): string {
    return join(this.folder, 'lvsd.sock')
  }

  get file(): string {
    return join(this.folder, 'site.yaml')
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Writes the configuration; the parts of `over` replace those of the beginning. */
  write(over: Partial<DirectorProcessParts>): void {
    const { redis, cluster = '', settings = '', services, more = '' } = { ...this.#parts, ...over }
    const login = `username: ${LOGIN.username}, password: ${LOGIN.password}`
    writeFileSync(
      this.file,
      `${more}settings:
  socket: ${this.socket}
  state: ${this.folder}
${indented(settings)}cluster:
  site: berlin
  redis: { url: 'redis://[::1]:${redis}', ${login} }
${indented(cluster)}services:
${indented(services)}`,
      { mode: 0o600 },
    )
  }

  start(): this {
    const env = { ...process.env, ...this.#parts.env }
    const argv = [this.main, 'run', this.file, '--kernel', 'memory']
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
        if (process.env.DIRECTOR_LOG) process.stderr.write(`${child.pid} ${text}`)
      })
    return this
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Ends it by this signal, and waits until it has ended. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(name)
    await exited
  }

  /** Null while it does not answer. */
  status(): Promise<StatusDocument | null> {
    return fetchStatus(this.socket).catch(() => null)
  }

  /** The states of the real servers of a service, in their order; empty while it does not answer. */
  async states(service = 'web'): Promise<readonly string[]> {
    const status = await this.status()
    const found = status?.services.find(({ name }) => name === service)
    return found?.reals.map(({ state }) => state) ?? []
  }

  async sharing() {
    return (await this.status())?.cluster?.verdicts ?? null
  }
}

function indented(text: string): string {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  return lines.map(line => `  ${line}\n`).join('')
}
