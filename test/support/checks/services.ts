/** Real servers that are slow to start: one for a whole file of tests, in a folder of its own, as a user that may. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Servers that refuse to be root run as this one where the tests are root: nobody. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'lvsd-service-'))
  readonly #user: { uid?: number; gid?: number }
  readonly #children: ChildProcess[] = []
  #said = ''

  constructor({ unprivileged = false } = {}) {
    this.#user = unprivileged ? NOBODY : {}
    if (this.#user.uid !== undefined) chownSync(this.folder, this.#user.uid, this.#user.gid ?? 0)
  }

  /** The path of a file in the folder, with this text. */
  file(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode })
    if (this.#user.uid !== undefined) chownSync(path, this.#user.uid, this.#user.gid ?? 0)
    return path
  }

  /** Runs a program to its end. */
  run(file: string, argv: readonly string[]): string {
    return execFileSync(file, argv, { ...this.#user, cwd: this.folder, encoding: 'utf8', stdio: 'pipe' })
  }

  /** Starts a program and waits until it is ready: by default, until it takes connections on a port of ::1. */
  async start(
    file: string,
    argv: readonly string[],
    ready: number | (() => Promise<boolean>),
  ): Promise<void> {
    const child = spawn(file, argv, { ...this.#user, cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.push(child)
    for (const output of [child.stdout, child.stderr])
      output.on('data', chunk => {
        this.#said = (this.#said + chunk).slice(-2000)
      })
    const isReady = typeof ready === 'number' ? () => listens(ready) : ready
    while (!(await isReady())) {
      assert.equal(child.exitCode, null, `${file} ended: ${this.#said}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** SIGQUIT is PostgreSQL's word for: at once, with all children. */
  async close(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The path of a program of PostgreSQL, which Debian keeps apart by version; empty where there is none. */
export function postgresProgram(name: string): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  return versions.map(version => join(root, version, 'bin', name)).findLast(existsSync) ?? ''
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '::1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
