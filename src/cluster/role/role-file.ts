/**
 * The role from a file: its first word. Pacemaker's agent and scripts of other programs write it. The file is read again
 * and again, because events of file systems miss renames and do not exist everywhere.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { roleOf } from '../../core/role.js'
import { whyUnreadable } from '../../system/read-file.js'
import type { Clock } from '../../util/clock.js'
import { harmless } from '../../util/foreign-text.js'
import { Poller, type PollerParts } from '../../util/poller.js'
import type { RoleReport, RoleSource } from './role-source.js'

export interface RoleFileParts {
  readonly path: string
  readonly log: PollerParts['log']
  readonly clock?: Pick<Clock, 'alarm'>
  onReport(report: RoleReport): void
  /** The file cannot be read, or its word is none: a sentence for people. Called for each new sentence. */
  onTrouble(trouble: string | null): void
}

/** Milliseconds between two reads. */
const EVERY = 200
/** Bytes that are read. A role is a word. */
const MOST = 256

export class RoleFile implements RoleSource {
  readonly first: Promise<void>
  readonly #parts: RoleFileParts
  readonly #reads: Poller
  #reported: RoleReport | null = null
  #trouble: string | null = null
  #isClosed = false

  constructor(parts: RoleFileParts) {
    this.#parts = parts
    this.#reads = new Poller('role file', () => this.#read(), parts)
    this.#reads.every(EVERY)
    this.first = this.#reads.now()
  }

  close(): void {
    this.#isClosed = true
    void this.#reads.stop()
  }

  async #read(): Promise<void> {
    const { path } = this.#parts
    const read = await firstWordOf(path).catch((error: NodeJS.ErrnoException) => error)
    if (this.#isClosed) return
    if (typeof read === 'string') this.#take(read)
    else if (read.code === 'ENOENT') this.#report({ role: 'standby', reason: `the file ${path} is missing` })
    else
      this.#tell(`the role file ${path} cannot be read, so the role stays as it is: ${whyUnreadable(read)}`)
  }

  #take(word: string): void {
    const { path } = this.#parts
    const role = roleOf(word)
    if (role) this.#report({ role, reason: `the file ${path} says ${word}` })
    // An empty file is one that is being written.
    else if (word !== '')
      this.#tell(
        `the role file ${path} says "${harmless(word)}", so the role stays as it is: expected active or standby`,
      )
  }

  #report(report: RoleReport): void {
    this.#tell(null)
    if (report.role === this.#reported?.role && report.reason === this.#reported.reason) return
    this.#reported = report
    this.#parts.onReport(report)
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#parts.onTrouble(trouble)
  }
}

/** Opening does not wait: a FIFO without a writer has no end. */
async function firstWordOf(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await file.stat()).isFile()) throw new Error('this is not a file')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0)
    return buffer.toString('utf8', 0, bytesRead).trim().split(/\s/, 1)[0] ?? ''
  } finally {
    await file.close()
  }
}
