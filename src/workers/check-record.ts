/** What the pool knows of a job: what is asked, and how the code behaved that asks it. */
import { fileURLToPath } from 'node:url'
import { type Answer, down } from '../check/check.js'
import { type Cause, whatItDid } from './cause.js'
import type { Definition } from './messages.js'

/** Milliseconds until a culprit is asked again: at first, and at most. */
const FIRST = 2000
const MOST = 300_000
/** Runs in a row that have to end well before it is forgiven. */
const GOOD = 3
/** Milliseconds that an answer is held back, to see what comes after it: of a suspect at first and at most, of a culprit. */
const LINGER = 100
const LINGER_MOST = 2000
const LINGER_CULPRIT = 1000
/** Milliseconds after which a suspicion that came to nothing is forgotten, and an offence that was forgiven. */
const MEMORY = 600_000

let count = 0

export class CheckRecord {
  /** Unlike all others, in this process. */
  readonly number = ++count
  readonly id: string
  readonly definition: Definition
  /** How often it was among the suspects without being found the culprit. */
  suspicion = 0
  /** Its next run has to be alone. */
  isSuspect = false
  /** It is memory that it fills, or is suspected of filling. */
  isHungry = false
  /** It has to be alone in a worker that nobody has used before. */
  needsFresh = false
  #suspectedAt = Number.NEGATIVE_INFINITY
  #sentence = ''
  #strikes = 0
  #struckAt = Number.NEGATIVE_INFINITY
  #until = 0
  #good = GOOD

  constructor(id: string, definition: Definition) {
    this.id = id
    this.definition = definition
  }

  /** The file, for people. */
  get file(): string {
    return fileOf(this.definition.module)
  }

  /** It was the culprit, and has not been forgiven. */
  get isCulprit(): boolean {
    return this.#good < GOOD
  }

  get mustBeAlone(): boolean {
    return this.isSuspect || this.isCulprit
  }

  /** How long its answer is held back after a run of its own, milliseconds. */
  get linger(): number {
    if (this.isCulprit) return LINGER_CULPRIT
    return Math.min(LINGER_MOST, LINGER * 2 ** (this.suspicion - 1))
  }

  suspect(cause: Cause, now: number, isFresh: boolean): void {
    this.isHungry = cause.kind === 'memory'
    if (now - this.#suspectedAt > MEMORY) this.suspicion = 0
    this.#suspectedAt = now
    this.suspicion++
    this.isSuspect = true
    this.needsFresh ||= isFresh
  }

  convict(cause: Cause, isLate: boolean, now: number): Answer {
    if (now - this.#struckAt > MEMORY + MOST) this.#strikes = 0
    this.#struckAt = now
    this.isHungry = cause.kind === 'memory'
    this.#strikes++
    this.#good = 0
    this.#until = now + Math.min(MOST, FIRST * 2 ** Math.min(20, this.#strikes - 1))
    this.#sentence = `${this.file} ${whatItDid(cause, isLate)}`
    this.isSuspect = false
    this.needsFresh = false
    return down('error', this.#sentence)
  }

  /** It was alone and harmed nobody. */
  acquit(): void {
    this.isSuspect = false
    this.needsFresh = false
    if (this.isCulprit) this.#good++
    this.isHungry &&= this.isCulprit
  }

  /** What stands for an answer while it is not asked; null where it may be. */
  answerUnasked(now: number): Answer | null {
    if (!this.isCulprit || now >= this.#until) return null
    const wait = Math.ceil((this.#until - now) / 1000)
    return down('error', `${this.#sentence}; it is asked again in ${wait} s`)
  }
}

export function fileOf(module: string): string {
  return module.startsWith('file:') ? fileURLToPath(module) : module
}
