/**
 * A director that is reloaded, and stopped and continued, again and again: what it holds does not grow, and no healthy
 * server is removed. ENDURANCE_RELOADS and ENDURANCE_STOPS are the numbers; 10000 and 1000 prove more.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fetchStatus } from '../../../src/api/client.js'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { httpServer } from '../../support/servers.js'
import { PATIENCE, pause, until } from '../../support/until.js'

const MAIN = installed('main')
const RELOADS = Number(process.env.ENDURANCE_RELOADS ?? 100)
const STOPS = Number(process.env.ENDURANCE_STOPS ?? 40)
const SERVERS = 10
/** Parts of a run after each of which the memory is read. */
const PARTS = 10
/**
 * MiB by which the memory may differ between two thirds of a run: V8 collects when it likes, and in a short run its heap
 * still finds its size.
 */
const ALLOWANCE = RELOADS < 1000 ? 40 : 12
/** Seconds. */
const LONGEST_INTERVAL = 60
/** Milliseconds. Every 50th stop is longer than the timeout of a check, which is no fault of the servers. */
const TIMEOUT = 2000
const LONG_STOP = 2500

class Daemon {
  readonly folder = temporaryFolder()
  readonly counts = new Map<string, number>()
  readonly #engine: string
  #child: ChildProcess | null = null

  constructor(engine: string) {
    this.#engine = engine
  }

  write(reals: readonly string[], interval: string): void {
    writeFileSync(
      join(this.folder, 'site.yaml'),
      `settings: { socket: ${this.socket}, state: ${this.folder}/state, engine: ${this.#engine} }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, interval: ${interval}, timeout: ${TIMEOUT}ms, fall: 2, rise: 1, sentinel: true }
    reals: [${reals.map(real => `'${real}'`).join(', ')}]
`,
    )
  }

  get socket(): string {
    return join(this.folder, 'lvsd.sock')
  }

  async start(): Promise<void> {
    const argv = [MAIN, 'run', '--kernel', 'memory', join(this.folder, 'site.yaml')]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    createInterface(child.stdout).on('line', line => {
      const { event } = JSON.parse(line) as { event: string }
      this.counts.set(event, this.count(event) + 1)
    })
    const exited = once(child, 'exit')
    onCleanup(async () => {
      child.kill('SIGKILL')
      await exited
    })
    await this.isComplete(SERVERS)
  }

  count(event: string): number {
    return this.counts.get(event) ?? 0
  }

  signal(name: NodeJS.Signals): void {
    assert.equal(this.#child?.exitCode, null, 'lvsd has ended')
    this.#child?.kill(name)
  }

  /** Waits until so many servers are up, each with its sentinel. */
  async isComplete(servers: number): Promise<void> {
    let last = ''
    const isTrue = async () => {
      const status = await fetchStatus(this.socket).catch(() => null)
      last = JSON.stringify([status?.totals, status?.hints.sentinels])
      return status?.totals.up === servers && status.hints.sentinels.watching === servers
    }
    // A sentinel that could not be opened, or whose check took too long on a busy machine, waits for the next check.
    const patience = 1000 * LONGEST_INTERVAL + TIMEOUT + PATIENCE
    await until(isTrue, { patience, what: () => `${servers} servers with sentinels; there were ${last}` })
  }

  /** What the descriptors refer to. */
  get descriptors(): readonly string[] {
    const folder = `/proc/${this.#child?.pid}/fd`
    return readdirSync(folder).map(fd => {
      try {
        return readlinkSync(join(folder, fd)).replace(/\d+/g, '')
      } catch {
        return 'closed meanwhile'
      }
    })
  }

  /** Resident, MiB. */
  get memory(): number {
    const text = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) / 1024
  }
}

async function serversOf(count: number): Promise<readonly string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => httpServer((_, response) => response.end('OK'))),
  )
  return servers.map(({ port }) => `[::1]:${port}`)
}

/** Does it `times` times in equal parts. Returns the memory after each part, MiB. */
async function again(times: number, daemon: Daemon, work: (k: number) => Promise<void>): Promise<number[]> {
  const memory: number[] = []
  for (let k = 0; k < times; k++) {
    await work(k)
    if ((k + 1) % Math.ceil(times / PARTS) === 0) memory.push(daemon.memory)
  }
  return memory
}

/** The first third is left out: V8 compiles, and its heap finds its size. */
function isFlat(memory: readonly number[]): void {
  const third = Math.floor(memory.length / 3)
  const mean = (part: readonly number[]) => part.reduce((sum, each) => sum + each, 0) / part.length
  const [before, after] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(-third))]
  assert.ok(after < before + ALLOWANCE, `the memory grows, MiB: ${memory.map(Math.round).join(' ')}`)
}

/** While the sentinel of a server is opened again, it has none. */
async function descriptorsAtRest(daemon: Daemon): Promise<readonly string[]> {
  await daemon.isComplete(SERVERS)
  return daemon.descriptors
}

/** `more`: of checks that may be under way. */
async function holdsNoMore(daemon: Daemon, before: readonly string[], more = 0): Promise<void> {
  const kinds = (all: readonly string[]) => `${all.length}: ${[...all].sort().join(' ')}`
  await until(() => daemon.descriptors.length <= before.length + more, {
    what: () => `the descriptors before were ${kinds(before)}; now they are ${kinds(daemon.descriptors)}`,
  })
}

for (const engine of ['portable', 'native'])
  describe(`a director that goes on and on (${engine})`, function () {
    this.timeout(120_000 + 400 * RELOADS + 400 * STOPS)

    it(`has no more descriptors and memory after ${RELOADS} reloads`, async () => {
      const reals = await serversOf(SERVERS)
      const daemon = new Daemon(engine)
      daemon.write(reals, `${LONGEST_INTERVAL}s`)
      await daemon.start()
      let before: readonly string[] = []
      const memory = await again(RELOADS, daemon, async k => {
        // The first reload may open what stays.
        if (k === 10) before = await descriptorsAtRest(daemon)
        // A weight, the interval and the set of the servers change in turn.
        const kept = k % 3 === 2 ? reals.slice(1) : reals
        daemon.write(
          kept.map((real, i) => `${real} masq ${i === 0 ? 1 + (k % 7) : 1}`),
          k % 2 === 0 ? '50s' : `${LONGEST_INTERVAL}s`,
        )
        const accepted = daemon.count('reload.accepted')
        daemon.signal('SIGHUP')
        await until(() => daemon.count('reload.accepted') > accepted, { what: `reload ${k}` })
      })
      console.log(`      RSS, MiB: ${memory.map(Math.round).join(' ')}`)
      daemon.write(reals, `${LONGEST_INTERVAL}s`)
      daemon.signal('SIGHUP')
      await daemon.isComplete(SERVERS)
      await holdsNoMore(daemon, before)
      isFlat(memory)
      assert.equal(daemon.count('real.down'), 0)
    })

    it(`removes no server when it is stopped and continued ${STOPS} times`, async () => {
      const daemon = new Daemon(engine)
      daemon.write(await serversOf(SERVERS), '200ms')
      await daemon.start()
      const before = daemon.descriptors
      const memory = await again(STOPS, daemon, async k => {
        daemon.signal('SIGSTOP')
        await pause(k % 50 === 25 ? LONG_STOP : 5 + ((37 * k) % 90))
        daemon.signal('SIGCONT')
        await pause(5 + ((53 * k) % 60))
      })
      await daemon.isComplete(SERVERS)
      console.log(`      RSS, MiB: ${memory.map(Math.round).join(' ')}`)
      assert.equal(daemon.count('real.down'), 0)
      await holdsNoMore(daemon, before, SERVERS)
      isFlat(memory)
    })
  })
