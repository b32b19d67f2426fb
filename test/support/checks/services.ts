/** Real servers that start slowly: one for a whole test file, in a separate folder, as a suitable user. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** User nobody, for servers that refuse to run as root, if the tests run as root. */
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

  /** Writes a file into the folder. Returns its path. */
  file(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode })
    if (this.#user.uid !== undefined) chownSync(path, this.#user.uid, this.#user.gid ?? 0)
    return path
  }

  /** Runs a program to its end. Returns its output. */
  run(file: string, argv: readonly string[]): string {
    return execFileSync(file, argv, { ...this.#user, cwd: this.folder, encoding: 'utf8', stdio: 'pipe' })
  }

  /**
   * Starts a program and waits until it is ready: until it accepts connections on a port of ::1, or a condition is
   * true.
   */
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

  /** SIGQUIT makes PostgreSQL end at once with all its children. */
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

/**
 * Returns the path of a PostgreSQL program, which Debian installs in a folder for each version; '' if it is missing.
 */
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
