/**
 * Machines of a cluster: network namespaces whose programs have configuration, run and state folders of their own, at
 * the paths at which they are on a real machine. All share one kernel and one process list.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { own } from '../site/command.js'
import { addNamespace, within } from '../site/namespaces.js'

/** Folders that each machine has for itself. */
const FOLDERS = [
  ...['/etc/lvsd', '/etc/keepalived', '/etc/haproxy', '/etc/redis'],
  ...['/run/lvsd', '/run/haproxy', '/run/keepalived', '/var/lib/lvsd', '/var/lib/redis', '/var/log'],
]
const DISKS = '/run/machines'
const MOUNTS = '/run/mounts'

export interface Program {
  readonly name: string
  readonly machine: Machine
  readonly isRunning: boolean
  /** Starts it. Its output is appended to /var/log/NAME of its machine. */
  start(): void
  /** Sends a signal to the process, or with `group` to all processes that it has started, too. */
  signal(signal: NodeJS.Signals, group?: boolean): void
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<void>
  /** Sends SIGKILL and waits for the end. */
  kill(group?: boolean): Promise<void>
  /** Returns what it has said, or with `all`, what it has said in its earlier runs, too. */
  output(all?: boolean): string
}

export class Machine {
  readonly name: string
  readonly programs: Program[] = []

  /** `folders`: those that it has for itself. `hasNetwork`: the namespace with its name exists. */
  constructor(name: string, { folders = FOLDERS, hasNetwork = false } = {}) {
    this.name = name
    if (!hasNetwork) addNamespace(name)
    for (const folder of folders) mkdirSync(this.path(folder), { recursive: true })
    mkdirSync(MOUNTS, { recursive: true })
    for (const file of [this.#mounts, this.#hostname]) writeFileSync(file, '')
    // One process for all mounts: a fork takes long in a guest.
    const binds = folders.map(folder => `${this.path(folder)} ${folder} none bind 0 0\n`)
    writeFileSync(this.path('fstab'), binds.join(''))
    execFileSync('unshare', [`--uts=${this.#hostname}`, 'hostname', name])
    execFileSync('unshare', [`--mount=${this.#mounts}`, 'mount', '-a', '-T', this.path('fstab')])
  }

  get #mounts(): string {
    return join(MOUNTS, this.name)
  }

  get #hostname(): string {
    return join(MOUNTS, `${this.name}.hostname`)
  }

  /** Returns the path at which this process finds a file of the machine. */
  path(file: string): string {
    return join(DISKS, this.name, file)
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true })
    writeFileSync(this.path(file), text, { mode: 0o600 })
  }

  read(file: string): string {
    return existsSync(this.path(file)) ? readFileSync(this.path(file), 'utf8') : ''
  }

  /** Removes what is in a folder that a boot empties. */
  empty(folder: string): void {
    execFileSync('find', [this.path(folder), '-mindepth', '1', '-delete'])
  }

  /** Runs a command to its end, and returns its output. Blocks this process. */
  run(command: string, ...words: readonly string[]): string {
    const argv = this.#inside([command, ...words])
    return within(this.name, () => execFileSync('nsenter', argv, { encoding: 'utf8' }))
  }

  /** Runs a command to its end without blocking this process. Returns its output, or null if it fails. */
  async ask(command: string, ...words: readonly string[]): Promise<string | null> {
    const child = within(this.name, () =>
      spawn('nsenter', this.#inside([command, ...words]), { stdio: ['ignore', 'pipe', 'ignore'] }),
    )
    let output = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0 ? output : null
  }

  program(name: string, command: string, ...words: readonly string[]): Program {
    const program = programOf(this, name, () => {
      const log = openSync(this.path(`/var/log/${name}`), 'a')
      return within(this.name, () =>
        spawn('nsenter', this.#inside([command, ...words]), {
          stdio: ['ignore', log, log],
          detached: true,
        }),
      )
    })
    this.programs.push(program)
    return program
  }

  #inside(words: readonly string[]): string[] {
    return [`--mount=${this.#mounts}`, `--uts=${this.#hostname}`, '--', ...words]
  }
}

/** Makes /etc writable, with empty folders for the machines' own files. Call it before the first machine. */
export function prepareFolders(folders = FOLDERS): void {
  own('/etc')
  for (const folder of folders) {
    if (folder.startsWith('/etc')) rmSync(folder, { force: true })
    mkdirSync(folder, { recursive: true })
  }
}

function programOf(machine: Machine, name: string, begin: () => ChildProcess): Program {
  let child: ChildProcess | null = null
  let ended: Promise<unknown> = Promise.resolve()
  /** Where the output of this run begins. */
  let begins = 0
  const log = () => machine.read(`/var/log/${name}`)
  const isRunning = () => child !== null && child.exitCode === null && child.signalCode === null
  const signal = (what: NodeJS.Signals, group = false) => {
    if (!isRunning() || child?.pid === undefined) return
    process.kill(group ? -child.pid : child.pid, what)
  }
  const end = async (what: NodeJS.Signals, group?: boolean) => {
    signal(what, group)
    await ended
  }
  return {
    name,
    machine,
    get isRunning() {
      return isRunning()
    },
    start() {
      if (isRunning()) throw new Error(`${machine.name}: ${name} runs`)
      begins = log().length
      child = begin()
      ended = once(child, 'exit')
    },
    signal,
    stop: () => end('SIGTERM'),
    kill: group => end('SIGKILL', group),
    output: (all = false) => log().slice(all ? 0 : begins),
  }
}
