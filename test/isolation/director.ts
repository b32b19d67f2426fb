/** `lvsd run` on the memory table as a process of its own, watched from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchStatus } from '../../src/api/client.js'
import type { RealStatus, StatusDocument } from '../../src/api/status-types.js'
import { packageRoot } from '../../src/system/version.js'
import { onCleanup } from '../support/after-each.js'
import { temporaryFolder } from '../support/folder.js'

export class Director {
  readonly #child: ChildProcess
  readonly #socket: string
  log = ''

  private constructor(child: ChildProcess, socket: string) {
    this.#child = child
    this.#socket = socket
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => {
        if (this.log.length < 1_000_000) this.log += chunk
      })
  }

  /** Starts it; ends with the test. `services` is the YAML below `services:`. */
  static async start(services: string, settings = ''): Promise<Director> {
    const folder = temporaryFolder()
    const socket = join(folder, 'lvsd.sock')
    const file = join(folder, 'site.yaml')
    writeFileSync(
      file,
      `settings: { socket: ${socket}, state: ${folder}${settings} }\nservices:\n${services}`,
      { mode: 0o600 },
    )
    const main = join(packageRoot, 'build/src/main.js')
    const child = spawn(process.execPath, [main, 'run', file, '--kernel', 'memory'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const director = new Director(child, socket)
    onCleanup(() => director.stop())
    await director.until('it answers', () => true)
    return director
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The status document and the milliseconds that it took. Throws where the daemon has ended or does not answer. */
  async status(): Promise<{ document: StatusDocument; ms: number }> {
    if (!this.isAlive) throw new Error(`lvsd has ended: ${this.log.slice(-2000)}`)
    const startedAt = performance.now()
    const document = await fetchStatus(this.#socket)
    return { document, ms: performance.now() - startedAt }
  }

  /** Asks for the status until `test` is true of it; gives the milliseconds. */
  async until(what: string, test: (document: StatusDocument) => boolean, limit = 60_000): Promise<number> {
    const startedAt = performance.now()
    let last: unknown
    while (performance.now() - startedAt < limit) {
      if (!this.isAlive) throw new Error(`lvsd has ended: ${this.log.slice(-2000)}`)
      try {
        const { document } = await this.status()
        last = document
        if (test(document)) return performance.now() - startedAt
      } catch (error) {
        last = error
      }
      await sleep(25)
    }
    throw new Error(`not in ${limit} ms: ${what}; last: ${shortly(last)}`)
  }

  /**
   * Waits until the server with this number in the service is down. Returns how many milliseconds after `since`, a time of the
   * epoch, that was by the clock of lvsd: so the time of its answer is not among them.
   */
  async downAfter(since: number, service: string, index: number): Promise<number> {
    let real: RealStatus | undefined
    const isDown = (document: StatusDocument) => {
      real = realsOf(document, service)[index]
      return real?.state === 'down'
    }
    await this.until(`server ${index} of ${service} is down`, isDown, 10_000)
    return Date.parse(real?.since ?? '') - since
  }

  /** The most memory that the process has held so far, MiB. */
  get peakMemory(): number {
    const [, kibibytes] =
      /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) / 1024
  }

  /** How many descriptors the process has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length
  }

  async stop(): Promise<void> {
    if (!this.isAlive) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
}

function shortly(last: unknown): string {
  if (last instanceof Error) return last.message
  const { services = [] } = (last ?? {}) as Partial<StatusDocument>
  const reals = services.flatMap(({ name, reals }) => reals.map(real => ({ name, real })))
  return reals.map(({ name, real }) => `${name} ${real.port} ${real.state}: ${real.reason}`).join('; ')
}

export function realsOf(document: StatusDocument, service: string): readonly RealStatus[] {
  return document.services.find(({ name }) => name === service)?.reals ?? []
}

/** The servers of hostile-servers.ts. */
export class Servers {
  readonly #child: ChildProcess
  readonly ports: Readonly<Record<string, readonly number[]>>

  readonly #lines: Interface

  private constructor(child: ChildProcess, lines: Interface, ports: Record<string, readonly number[]>) {
    this.#child = child
    this.#lines = lines
    this.ports = ports
  }

  static async start(): Promise<Servers> {
    const child = spawn(process.execPath, [join(packageRoot, 'build/test/isolation/hostile-servers.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onCleanup(() => child.kill('SIGKILL'))
    const lines = createInterface(child.stdout)
    const [ports] = await once(lines, 'line')
    return new Servers(child, lines, JSON.parse(ports))
  }

  /**
   * As if its process had been killed: connections are refused from now on. Resolves to the time at which that began, in
   * milliseconds of the epoch: servers that pour take a while to do it.
   */
  async close(name: string, index: number): Promise<number> {
    const told = once(this.#lines, 'line')
    this.#child.stdin?.write(`close ${name} ${index}\n`)
    return Number((await told)[0])
  }
}
