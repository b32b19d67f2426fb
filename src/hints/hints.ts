/**
 * Takes hints, and brings the checks of the servers that they concern forward, at a pace that many hints at once do not
 * exceed (core/hints.ts). What a check finds counts as always; a hint has no other effect.
 */
import {
  BROUGHT_FORWARD,
  type Budget,
  FOLLOW_UP,
  fullBudget,
  HINT_KINDS,
  type Hint,
  type HintKind,
  isFollowed,
  isRepeated,
  spend,
  untilNext,
} from '../core/hints.js'
import type { CheckResult } from '../core/model.js'
import type { Executors } from '../schedule/executors.js'
import type { Clock } from '../util/clock.js'
import { Deadlines } from '../util/deadlines.js'

export interface HintsParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly executors: Pick<Executors, 'atOnce' | 'next'>
  /** True while `fall` is not reached after failures of this job, so that more of them decide. */
  isChanging(id: string): boolean
  /** A check has been started because of a strong hint. */
  onStrong?(id: string): void
}

/** Maximum number of checks that wait for their turn. Later hints are dropped: the checks come at their intervals. */
const MOST_WAITING = 1000
/**
 * Milliseconds after which a check that was started may be started again: its result is lost if the job is replaced
 * meanwhile, as by a reload or another role.
 */
const LOST_AFTER = 10_000

export interface HintCounts {
  readonly given: Readonly<Record<HintKind, number>>
  /** Checks that were brought forward; those that followed a failed one are not counted. */
  readonly broughtForward: number
  /** Hints for which the budget had no place. */
  readonly dropped: number
  /** Checks that wait for their turn. */
  readonly waiting: number
}

/** A hint about a job, and when it came, in milliseconds of the clock. */
export interface GivenHint extends Hint {
  readonly at: number
}

interface Pursued {
  hint: GivenHint
  /** When the last check was started. */
  startedAt: number
  /** Number of checks that have followed a failed one. */
  followed: number
  /** True if the server was said to be back, so that the check has been started anew. */
  isAnew: boolean
  /** True if such a check has been repeated. */
  isRepeated: boolean
  /** A hint of another kind that has come since the check was started, which may have begun before what it tells of. */
  later: GivenHint | null
}

export class Hints {
  readonly #parts: HintsParts
  #budget: Budget
  readonly #given = Object.fromEntries(HINT_KINDS.map(kind => [kind, 0])) as Record<HintKind, number>
  #broughtForward = 0
  #dropped = 0
  /** Hints whose checks wait for the budget, in their order. */
  readonly #waiting = new Map<string, GivenHint>()
  /** Hints whose checks have been started and gave no result yet, or have to be followed by others. */
  readonly #pursued = new Map<string, Pursued>()
  readonly #last = new Map<string, GivenHint>()
  readonly #followUps: Deadlines<string>
  #disarm: (() => void) | null = null
  #isClosed = false

  constructor(parts: HintsParts) {
    this.#parts = parts
    const { clock } = parts
    this.#budget = fullBudget(BROUGHT_FORWARD, clock.now())
    this.#followUps = new Deadlines({
      clock,
      onDue: ids => {
        for (const id of ids) this.#start(id, this.#pursued.get(id)?.hint)
      },
    })
  }

  /**
   * Takes another configuration: forgets the hints of jobs that have gone. Checks that were started are started again, because the
   * run of a job that the configuration replaces has no result, and the new job waits for a part of its interval.
   */
  follow(has: (id: string) => boolean): void {
    for (const map of [this.#waiting, this.#pursued, this.#last])
      for (const id of map.keys()) if (!has(id)) map.delete(id)
    for (const [id, { hint }] of this.#pursued) this.#start(id, hint)
  }

  /** Brings the checks of these jobs forward. One that does not run here, or is on its way already, stays as it is. */
  give(ids: readonly string[], hint: Hint): void {
    if (this.#isClosed) return
    this.#given[hint.kind]++
    const at = this.#parts.clock.now()
    for (const id of ids) {
      if (this.#isPursued(id, at)) this.#improve(id, { ...hint, at })
      else this.#wait(id, { ...hint, at })
    }
    this.#pump()
  }

  /**
   * Takes a result before the health does. Returns it with the reason for which it came early, if a hint has brought it
   * forward.
   */
  explained(id: string, result: CheckResult): CheckResult {
    if (!result.isEarly) return result
    const { isEarly, ...plain } = result
    const hint = this.#pursued.get(id)?.hint
    return hint ? { ...plain, hint: hint.detail } : plain
  }

  /**
   * Takes an explained result after the health has taken it: after one that came early, the checks that `fall` still needs
   * follow at once. So does one for a hint that has come meanwhile.
   */
  judged(id: string, result: CheckResult): void {
    const pursued = result.hint === undefined ? undefined : this.#pursued.get(id)
    if (!pursued) return
    const { later } = pursued
    pursued.later = null
    const { isAnew, followed, hint } = pursued
    const isFollowing = isFollowed(result, followed, hint) && this.#parts.isChanging(id)
    const isAgain = !isFollowing && isAnew && !pursued.isRepeated && isRepeated(result) && this.#mayRepeat()
    if (isFollowing || isAgain) {
      // What follows at once makes the kernel ask as well.
      pursued.isRepeated ||= isAnew
      pursued.followed++
      pursued.startedAt = this.#parts.clock.now() + FOLLOW_UP
      if (later) this.#pursue(id, pursued, later)
      this.#followUps.set(id, pursued.startedAt)
    } else {
      this.#pursued.delete(id)
      if (!later) return
      this.#wait(id, later)
      this.#pump()
    }
  }

  /** Returns the last hint whose check was brought forward. */
  lastOf(id: string): GivenHint | null {
    return this.#last.get(id) ?? null
  }

  get counts(): HintCounts {
    return {
      given: { ...this.#given },
      broughtForward: this.#broughtForward,
      dropped: this.#dropped,
      waiting: this.#waiting.size,
    }
  }

  close(): void {
    this.#isClosed = true
    this.#disarm?.()
    this.#followUps.close()
    this.#waiting.clear()
  }

  #isPursued(id: string, now: number): boolean {
    const pursued = this.#pursued.get(id)
    return pursued !== undefined && now - pursued.startedAt < LOST_AFTER
  }

  #wait(id: string, hint: GivenHint): void {
    const before = this.#waiting.get(id)
    if (before?.isSingle && !hint.isSingle) this.#waiting.set(id, hint)
    if (before || !this.#parts.executors.next(id)) return
    if (this.#waiting.size >= MOST_WAITING) this.#dropped++
    else this.#waiting.set(id, hint)
  }

  /**
   * A check on its way may fail early from now on, or waits in vain for a server that is back. Else another follows it. A hint
   * of the same kind tells nothing new, and may come from the check itself, as an ICMP error does.
   */
  #improve(id: string, hint: GivenHint): void {
    const pursued = this.#pursued.get(id)
    if (!pursued) return
    if (hint.isStrong && !pursued.hint.isStrong) {
      // What came first has brought the check forward, and stays a reason.
      this.#pursue(id, pursued, { ...hint, detail: `${pursued.hint.detail}; ${hint.detail}` })
      this.#parts.onStrong?.(id)
    } else if (hint.isRecovery && !pursued.isAnew) {
      // Once: a check that is cancelled again and again would have no result.
      pursued.isAnew = true
      this.#pursue(id, pursued, hint)
      this.#parts.executors.atOnce(id, true)
    } else if (hint.kind !== pursued.hint.kind && (pursued.hint.isSingle || !hint.isSingle))
      // What one check answers must not end the checks that follow for another reason.
      pursued.later = pursued.later && !pursued.later.isSingle ? pursued.later : hint
  }

  #pursue(id: string, pursued: Pursued, hint: GivenHint): void {
    pursued.hint = hint
    this.#last.set(id, hint)
  }

  #start(id: string, hint: Hint | undefined): void {
    this.#parts.executors.atOnce(id, hint?.isRecovery === true)
    if (hint?.isStrong) this.#parts.onStrong?.(id)
  }

  /** With many servers back at once, most checks wait for their turn: no place is left to repeat others. */
  #mayRepeat(): boolean {
    const mayRepeat = this.#spend()
    if (!mayRepeat) this.#dropped++
    return mayRepeat
  }

  /** Returns false if the budget has no place for a check now. */
  #spend(): boolean {
    const rest = spend(this.#budget, BROUGHT_FORWARD, this.#parts.clock.now())
    this.#budget = rest ?? this.#budget
    return rest !== null
  }

  #pump(): void {
    const { clock } = this.#parts
    for (const [id, hint] of this.#waiting) {
      if (!this.#spend()) break
      const now = clock.now()
      this.#waiting.delete(id)
      this.#pursued.set(id, {
        hint,
        startedAt: now,
        followed: 0,
        isAnew: hint.isRecovery === true,
        isRepeated: false,
        later: null,
      })
      this.#last.set(id, hint)
      this.#broughtForward++
      this.#start(id, hint)
    }
    if (this.#waiting.size === 0 || this.#disarm) return
    this.#disarm = clock.alarm(untilNext(this.#budget, BROUGHT_FORWARD, clock.now()), () => {
      this.#disarm = null
      this.#pump()
    })
  }
}
