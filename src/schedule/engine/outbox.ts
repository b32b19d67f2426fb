/**
 * Results on their way to the core. A result that tells the core something is sent at the end of the turn. One that the
 * core has declared to be of no news (`settled`) waits up to `LAZY` milliseconds, or until another one is sent, so that
 * the order is kept and one message serves many. Results that differ in times only are sent as numbers. The core takes
 * the numbers of a message first, so none follow a full result of the same job in it.
 */
import type { CheckResult } from '../../core/model.js'
import type { FullResult, Report } from './protocol.js'

/** Milliseconds. */
export const LAZY = 500

/** What the outbox remembers of a job. */
export interface Sender {
  readonly job: number
  /**
   * What results are compared with. One that differs in times only does not take its place, so it need not outlive its
   * message, which would cost more than to make it.
   */
  last: CheckResult | null
  /** Number of results. */
  run: number
  /** Number of the message that its last full result is in. */
  fullIn: number
  isSettled: boolean
}

export class Outbox {
  readonly #post: (report: Report) => void
  #full: FullResult[] = []
  #deferred: number[] = []
  #numbers = new Float64Array(1024)
  #used = 0
  #isUrgent = false
  #since = 0
  /** Number of the message that is being filled. */
  #message = 0

  constructor(post: (report: Report) => void) {
    this.#post = post
  }

  add(sender: Sender, result: CheckResult, delay: number): void {
    const { last } = sender
    sender.run++
    const isSame = last !== null && isSameVerdict(last, result)
    const isLike = last !== null && isSameButTimes(last, result)
    if (!isSame || !isLike) sender.last = result
    if (!sender.isSettled || !isSame) {
      sender.isSettled = false
      this.#isUrgent = true
    }
    // Who has started it at once waits for it.
    if (result.isEarly) this.#isUrgent = true
    if (sender.isSettled && isLike && !result.isEarly && sender.fullIn !== this.#message)
      this.#addNumbers(sender.job, result, delay)
    else {
      sender.fullIn = this.#message
      this.#full.push({ job: sender.job, run: sender.run, result, delay })
    }
  }

  /** The job ends here; the check's own code takes over. */
  defer(job: number): void {
    this.#deferred.push(job)
    this.#isUrgent = true
  }

  /** Returns in how many milliseconds it has to send what it holds; Infinity: it holds nothing. */
  dueIn(now: number): number {
    return this.#isEmpty ? Number.POSITIVE_INFINITY : Math.max(0, this.#since + LAZY - now)
  }

  get #isEmpty(): boolean {
    return this.#used === 0 && this.#full.length === 0 && this.#deferred.length === 0
  }

  /** Sends what must not wait any longer. */
  flush(now: number): void {
    if (!this.#isUrgent && now - this.#since < LAZY) return
    this.#since = now
    this.#isUrgent = false
    if (this.#isEmpty) return
    const repeats = this.#used === 0 ? null : this.#numbers.slice(0, this.#used)
    this.#post({ kind: 'results', repeats, full: this.#full, deferred: this.#deferred })
    this.#message++
    this.#used = 0
    this.#full = []
    this.#deferred = []
  }

  #addNumbers(job: number, { ms, phases }: CheckResult, delay: number): void {
    const needed = this.#used + 4 + phases.length
    if (needed > this.#numbers.length) {
      const larger = new Float64Array(2 * needed)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    const into = this.#numbers
    let at = this.#used
    into[at++] = job
    into[at++] = delay
    into[at++] = ms
    into[at++] = phases.length
    for (const phase of phases) into[at++] = phase.ms
    this.#used = at
  }
}

/** True if the rules of health make the same of both. */
function isSameVerdict(a: CheckResult, b: CheckResult): boolean {
  return a.ok === b.ok && a.reason === b.reason && a.advice === undefined && b.advice === undefined
}

function isSameButTimes(a: CheckResult, b: CheckResult): boolean {
  if (a.detail !== b.detail || a.phase !== b.phase || a.phases.length !== b.phases.length) return false
  for (let i = 0; i < a.phases.length; i++) if (a.phases[i]?.phase !== b.phases[i]?.phase) return false
  return true
}
