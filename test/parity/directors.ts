/**
 * Two directors, one for lvsd and one for ldirectord. Each is a network namespace with a separate IPVS table. The
 * addresses of the real servers are in the namespace of this process, and both directors reach them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, openKernel } from '../../src/ipvs/client.js'
import { packageRoot } from '../../src/system/version.js'
import { addNamespace, within } from '../kernel/site/namespaces.js'
import { BUNDLE } from '../support/compile.js'
import { MAIL_SERVER } from './mail-sink.js'
import { addresses, FAMILIES } from './scenario.js'
import { linesOfTable } from './table-lines.js'

export const DIRECTORS = ['lvsd', 'ldirectord'] as const
export type Name = (typeof DIRECTORS)[number]

const MAIN = join(packageRoot, BUNDLE, 'src/main.cjs')
const COMMANDS: Readonly<Record<Name, (file: string, folder: string) => readonly [string, ...string[]]>> = {
  lvsd: (file, folder) => [
    ...([process.execPath, MAIN, 'run', file] as const),
    ...['--socket', `${folder}/lvsd.sock`, '--state', `${folder}/state`],
  ],
  ldirectord: file => ['/usr/sbin/ldirectord', file, 'start'],
}

const READY: Readonly<Record<Name, RegExp>> = {
  lvsd: /"lvsd runs"/,
  ldirectord: /(?:Added|Changed) virtual server/,
}

/** Replaces hosts and resolv.conf in the lab: only names such as `r1-SLOT.lab` resolve. */
export function nameTheServers(slots: number): void {
  const hosts = Array.from({ length: slots }, (_, i) =>
    FAMILIES.flatMap(family =>
      Object.entries(addresses(i + 1, family)).map(
        ([name, address]) => `${address} ${name.toLowerCase()}-${i + 1}.lab`,
      ),
    ),
  ).flat()
  const files = {
    hosts: ['127.0.0.1 localhost', '::1 localhost', ...hosts, ''].join('\n'),
    'resolv.conf': '',
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(`/run/${name}`, text)
    execFileSync('mount', ['--bind', `/run/${name}`, `/etc/${name}`])
  }
}

export class Directors {
  readonly #clients = new Map<Name, Client>()

  /** Builds both directors, and addresses of servers for this number of concurrent scenarios. */
  async build(slots: number): Promise<void> {
    for (const [i, name] of DIRECTORS.entries()) {
      addNamespace(name)
      const net = { ipv6: `fd00:d:${i}`, ipv4: `10.200.${i}` }
      ip(null, [
        `link add d${i} type veth peer name eth0 netns ${name}`,
        `addr add ${net.ipv6}::1/64 dev d${i} nodad`,
        `addr add ${net.ipv4}.1/24 dev d${i}`,
        `link set d${i} up`,
      ])
      ip(name, [
        'link set lo up',
        `addr add ${net.ipv6}::2/64 dev eth0 nodad`,
        `addr add ${net.ipv4}.2/24 dev eth0`,
        'link set eth0 up',
        `route add fd00:1::/32 via ${net.ipv6}::1`,
        `route add 10.1.0.0/16 via ${net.ipv4}.1`,
      ])
      this.#clients.set(name, await within(name, () => openKernel()))
    }
    const all = Array.from({ length: slots }, (_, i) => servers(i + 1)).flat()
    ip(
      null,
      [...all.map(({ prefix }) => prefix), `${MAIL_SERVER}/32`].map(prefix => `addr add ${prefix} dev lo`),
    )
  }

  async table(name: Name): Promise<string[]> {
    const client = this.#clients.get(name)
    if (!client) throw new Error(`there is no director ${name}`)
    return linesOfTable((await client.dump()).table)
  }

  /** Empties both tables and fills them by these commands of `ipvsadm -R`. */
  async prepare(commands: string): Promise<void> {
    for (const name of DIRECTORS) {
      await this.#ipvsadm(name, '-C')
      if (commands !== '') await this.#ipvsadm(name, '-R', commands)
    }
  }

  async #ipvsadm(name: Name, option: string, input = ''): Promise<void> {
    const stdin = input === '' ? 'ignore' : 'pipe'
    const child = within(name, () => spawn('ipvsadm', [option], { stdio: [stdin, 'inherit', 'inherit'] }))
    child.stdin?.end(input)
    await once(child, 'close')
  }

  start(name: Name, file: string, folder: string, environment: NodeJS.ProcessEnv): Daemon {
    const [command, ...args] = COMMANDS[name](file, folder)
    const env = { ...process.env, ...environment }
    return new Daemon(
      within(name, () => spawn(command, args, { cwd: '/', env, detached: true })),
      READY[name],
    )
  }

  /** Adds or removes the address of a server, for ping checks. */
  setAddress(slot: number, name: string, isThere: boolean): void {
    const own = servers(slot).filter(server => server.name === name)
    ip(
      null,
      own.map(({ prefix }) => `addr ${isThere ? 'replace' : 'del'} ${prefix} dev lo`),
    )
  }
}

function servers(slot: number): { name: string; prefix: string }[] {
  return FAMILIES.flatMap(family =>
    Object.entries(addresses(slot, family))
      .filter(([name]) => /^[RF]/.test(name))
      .map(([name, address]) => ({ name, prefix: `${address}/${family === 'ipv6' ? '128' : '32'}` })),
  )
}

function ip(namespace: string | null, commands: readonly string[]): void {
  const where = namespace === null ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], { input: commands.join('\n') })
}

/** Perl warnings of ldirectord at each read of the table. */
const NOISE = /^Use of uninitialized value .*\n/gm

/** The process of one of the two daemons. */
export class Daemon {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #said = ''
  #isReady = false

  constructor(child: ChildProcess, ready: RegExp) {
    this.#child = child
    this.#ended = once(child, 'exit')
    for (const output of [child.stdout, child.stderr])
      output?.on('data', chunk => {
        this.#said = (this.#said + chunk).replaceAll(NOISE, '').slice(-6000)
        this.#isReady ||= ready.test(this.#said)
      })
  }

  /** True once the daemon has begun to change the table. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** The last part of its output. */
  get said(): string {
    return this.#said
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  reload(): void {
    this.#child.kill('SIGHUP')
  }

  /** Ends the daemon. SIGKILL is sent to its children too, because with `fork = yes` they would continue. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (signal === 'SIGKILL') this.#killGroup()
    else if (this.isRunning) this.#child.kill(signal)
    await this.#ended
  }

  #killGroup(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // The process group has ended.
    }
  }
}
