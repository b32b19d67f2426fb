/** What the pool knows about a job: its definition, and the past behaviour of its code. */
import { fileURLToPath } from 'node:url'
import { type Answer, down } from '../check/check.js'
import { type Cause, whatItDid } from './cause.js'
import type { Definition } from './messages.js'

/** Milliseconds until a culprit runs again: first and maximum value. */
const FIRST = 2000
const MOST = 300_000
/** Number of consecutive good runs after which a culprit is rehabilitated. */
const GOOD = 3
/**
 * Milliseconds that an answer is held back to see whether the code fails afterwards: minimum and maximum for a suspect,
 * and the value for a culprit.
 */
const LINGER = 100
const LINGER_MOST = 2000
const LINGER_CULPRIT = 1000
/** Milliseconds after which an unconfirmed suspicion is forgotten. A forgiven offence is forgotten after MEMORY + MOST. */
const MEMORY = 600_000

let count = 0

export class CheckRecord {
  /** Unique within this process. */
  readonly number = ++count
  readonly id: string
  readonly definition: Definition
  /** How often the check was a suspect without being found the culprit. */
  suspicion = 0
  /** The next run must be alone. */
  isSuspect = false
  /** True if the check exhausts the memory, or is suspected of it. */
  isHungry = false
  /** The next run must be alone in a new worker. */
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

  /** Path of the check's file. */
  get file(): string {
    return fileOf(this.definition.module)
  }

  /** True if the check was the culprit and is not rehabilitated yet. */
  get isCulprit(): boolean {
    return this.#good < GOOD
  }

  get mustBeAlone(): boolean {
    return this.isSuspect || this.isCulprit
  }

  /** Milliseconds that an answer is held back after a run in quarantine. */
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

  /** Records a run that was alone and caused no harm. */
  acquit(): void {
    this.isSuspect = false
    this.needsFresh = false
    if (this.isCulprit) this.#good++
    this.isHungry &&= this.isCulprit
  }

  /** Returns the answer to use instead of a run, or null if the check may run. */
  answerUnasked(now: number): Answer | null {
    if (!this.isCulprit || now >= this.#until) return null
    const wait = Math.ceil((this.#until - now) / 1000)
    return down('error', `${this.#sentence}; lvsd runs it again in ${wait} s`)
  }
}

export function fileOf(module: string): string {
  return module.startsWith('file:') ? fileURLToPath(module) : module
}
