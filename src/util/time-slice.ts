/**
 * Runs long computations in slices, so that the event loop, and every check with it, runs in between. All computations
 * share the time of a turn of the event loop: several at once take longer, and no turn does.
 */

/** Before a step that takes as long as all slices of a turn: it gets a turn without others. */
export const LONG_STEP = 'long step'

/** A computation that can be interrupted at each `yield`. */
export type Sliced<T> = Generator<typeof LONG_STEP | undefined, T>

/** Target of the milliseconds that all slices of one turn take together. The last step of a slice may exceed it. */
const TURN = 10

/** Number of small items, such as real servers, that are one step. */
const STEP = 32

/** Does the work for each item, and can be interrupted after each `STEP` of them. */
export function* eachInSteps<T>(items: Iterable<T>, work: (item: T, i: number) => void): Sliced<void> {
  let i = 0
  for (const item of items) {
    work(item, i)
    if (++i % STEP === 0) yield
  }
}

/** Runs the computation without interruption, for callers that have nothing else to do. */
export function runSync<T>(work: Sliced<T>): T {
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}

interface Part {
  /** Runs until this time. */
  readonly run: (until: number) => Rest
  /** True if it takes a turn for itself. */
  readonly isWhole: boolean
}

/** What is left of a part: nothing, more slices, or a step that takes a turn for itself. */
type Rest = 'nothing' | 'slices' | 'whole'

/** Divides the turns of the event loop among computations. A process has one; tests have their own, with a clock of theirs. */
export class Turns {
  /** Milliseconds of a steady clock. */
  readonly #now: () => number
  /** What waits for its next slice, in the order in which it gets one. */
  readonly #waiting: Part[] = []
  /** What is left of the present turn, in milliseconds. */
  #left = TURN
  /** True while the end of a turn is awaited. */
  #isCounting = false

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /**
   * Begins at once if the present turn has time left. `turn`: milliseconds of a slice at most. Rejects with what `work`
   * throws.
   */
  run<T>(work: Sliced<T>, turn = TURN): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (until: number): Rest => {
        const end = Math.min(until, this.#now() + turn)
        try {
          do {
            const step = work.next()
            if (step.done) {
              resolve(step.value)
              return 'nothing'
            }
            if (step.value === LONG_STEP) return 'whole'
          } while (this.#now() < end)
        } catch (error) {
          reject(error)
          return 'nothing'
        }
        return 'slices'
      }
      this.#begin({ run, isWhole: false })
    })
  }

  /** Resolves in a turn in which no slice runs, for a step that takes as long as one. */
  own(): Promise<void> {
    return new Promise(resolve => {
      const run = (): Rest => {
        resolve()
        return 'nothing'
      }
      this.#waiting.push({ run, isWhole: true })
      this.#count()
    })
  }

  #begin(part: Part): void {
    if (this.#left <= 0 || this.#waiting.length > 0) this.#waiting.push(part)
    else this.#take(part)
    this.#count()
  }

  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    // The turn that has begun ends with the immediates, so these have what is left of it.
    setImmediate(() => {
      this.#takeWaiting()
      setImmediate(() => this.#nextTurn())
    })
  }

  #nextTurn(): void {
    this.#isCounting = this.#waiting.length > 0 || this.#left < TURN
    this.#left = TURN
    if (!this.#isCounting) return
    setImmediate(() => this.#nextTurn())
    this.#takeWaiting()
  }

  /** Gives each of those that wait one slice, as long as there is time. */
  #takeWaiting(): void {
    for (let count = this.#waiting.length; count > 0 && this.#left > 0; count--) {
      const [part] = this.#waiting
      if (!part || (part.isWhole && this.#left < TURN)) return
      this.#waiting.shift()
      this.#take(part)
    }
  }

  /** Runs one part, and takes its time from the turn. What is left of it waits. */
  #take({ run, isWhole }: Part): void {
    const began = this.#now()
    const rest = run(began + this.#left)
    this.#left = isWhole ? 0 : this.#left - (this.#now() - began)
    if (rest !== 'nothing') this.#waiting.push({ run, isWhole: rest === 'whole' })
  }
}

const turns = new Turns()

/** Runs the computation in slices of `turn` milliseconds at most. Begins at once where this turn has time left. */
export function runSliced<T>(work: Sliced<T>, turn?: number): Promise<T> {
  return turns.run(work, turn)
}

/** Resolves in a turn of the event loop in which no computation gets a slice, for a step that takes as long as one. */
export function ownTurn(): Promise<void> {
  return turns.own()
}
