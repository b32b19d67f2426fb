/**
 * A deterministic automaton (DFA), built lazily from a program while texts are searched. A state is the set of program
 * steps that are active. The cost of a text is one look-up per code unit, plus the construction of new states.
 */
import type { Budget } from './budget.js'
import { ACCEPT, type Assertion, type Program } from './program.js'

export interface State {
  /** The successor states, indexed by the class of the code unit read. */
  readonly next: (State | undefined)[]
  /** Active steps with their modes, in ascending order, before assertions are evaluated. */
  readonly threads: Int32Array
  /** Facts about the previous unit for assertions: a bit for each of the program's `contextSets`, and `AT_START`. */
  readonly context: number
  /** Whether there is a match if the text ends in this state; undefined until it is computed. */
  occursAtEnd: boolean | undefined
}

/**
 * Maximum number of stored entries (states, successors and threads), about 1 MB. When it is exceeded, all states are
 * dropped and built again on demand.
 */
const MOST_KEPT = 100_000
/** Threads that can be followed per millisecond: a measured value with a margin. */
const THREADS_PER_MS = 10_000
/** Limits of `explore`: number of states, and of threads followed. */
const MOST_STATES = 500
const MOST_WORK = 30_000

const AT_START = 1 << 30
/** Modes: what the rest of the text may be after a `final end`. A thread is its step times 3 plus its mode. */
const ANY = 0
const NEWLINE_OR_NOTHING = 1
const NOTHING = 2

export class Automaton {
  readonly program: Program
  readonly start: State
  /** The state after a match; the rest of the text does not matter. */
  readonly found: State
  readonly #states = new Map<string, State>()
  readonly #seen: Int32Array
  readonly #stack: number[] = []
  #round = 0
  #kept = 0
  /** Number of threads followed so far. */
  #work = 0

  constructor(program: Program) {
    this.program = program
    this.#seen = new Int32Array(program.steps.length * 3)
    this.found = this.#make(Int32Array.of(), 0)
    this.found.next.fill(this.found)
    this.found.occursAtEnd = true
    this.start = this.#stateOf([], AT_START)
  }

  /** Builds all states in advance if they are few. Returns true if it built all; then each text costs only its look-ups. */
  explore(): boolean {
    const queue = [this.start]
    const known = new Set<State>([this.found, ...queue])
    for (let state = queue.pop(); state; state = queue.pop()) {
      this.occursAtEnd(state)
      for (let unitClass = 0; unitClass < this.program.alphabet.size; unitClass++) {
        const next = this.step(state, unitClass)
        if (known.has(next)) continue
        known.add(next)
        queue.push(next)
      }
      if (known.size > MOST_STATES || this.#work > MOST_WORK || this.#kept > MOST_KEPT / 2) return false
    }
    return true
  }

  /** Returns the state after a unit of that class. The cost of building a new state is taken from the budget. */
  step(state: State, unitClass: number, budget?: Budget): State {
    const known = state.next[unitClass]
    if (known) return known
    const next = this.#charged(state, unitClass, budget)
    state.next[unitClass] = next
    return next
  }

  /** Returns whether there is a match if the text ends in this state. */
  occursAtEnd(state: State, budget?: Budget): boolean {
    state.occursAtEnd ??= this.#charged(state, null, budget) === this.found
    return state.occursAtEnd
  }

  #charged(state: State, unitClass: number | null, budget?: Budget): State {
    const before = this.#work
    const next = this.#follow(state, unitClass)
    if (budget) budget.left -= (this.#work - before) / THREADS_PER_MS
    return next
  }

  #follow(state: State, unitClass: number | null): State {
    const { steps, newline } = this.program
    const { members, size } = this.program.alphabet
    const after: number[] = []
    this.#round++
    this.#push(this.program.start * 3 + ANY)
    for (const thread of state.threads) this.#push(thread)
    for (let thread = this.#stack.pop(); thread !== undefined; thread = this.#stack.pop()) {
      this.#work++
      const mode = thread % 3
      const number = (thread - mode) / 3
      if (unitClass !== null && mode !== ANY && (mode === NOTHING || unitClass !== newline)) continue
      const step = steps[number] as Program['steps'][number]
      if (step.kind === 'split') {
        this.#push(step.other * 3 + mode)
        this.#push(step.next * 3 + mode)
      } else if (step.kind === 'assert') {
        const then = step.what.kind === 'final end' && mode === ANY ? NEWLINE_OR_NOTHING : mode
        if (this.#holds(step.what, state.context, unitClass)) this.#push(step.next * 3 + then)
      } else if (step.kind === 'accept') {
        if (unitClass === null || mode === ANY) return this.#found()
        after.push(ACCEPT * 3 + NOTHING)
      } else if (unitClass !== null && members[step.set * size + unitClass] === 1) {
        after.push(step.next * 3 + (mode === ANY ? ANY : NOTHING))
      }
    }
    this.#work += after.length
    return this.#stateOf(after, this.#contextOf(unitClass))
  }

  #found(): State {
    this.#stack.length = 0
    return this.found
  }

  #push(thread: number): void {
    if (this.#seen[thread] === this.#round) return
    this.#seen[thread] = this.#round
    this.#stack.push(thread)
  }

  /** Evaluates an assertion. `unitClass` is the class of the following unit, or null at the end of the text. */
  #holds(what: Assertion, context: number, unitClass: number | null): boolean {
    const isIn = (set: number) => unitClass !== null && this.#isIn(set, unitClass)
    const wasIn = (set: number) => (context & (1 << this.program.contextSets.indexOf(set))) !== 0
    switch (what.kind) {
      case 'start':
        return (context & AT_START) !== 0
      case 'end':
        return unitClass === null
      case 'final end':
        return unitClass === null || unitClass === this.program.newline
      case 'line start':
        return (context & AT_START) !== 0 || wasIn(what.set)
      case 'line end':
        return unitClass === null || isIn(what.set)
      case 'word edge':
        return (isIn(what.set) !== wasIn(what.set)) !== what.isNegated
      case 'before':
        return wasIn(what.set) !== what.isNegated
      case 'behind':
        return isIn(what.set) !== what.isNegated
    }
  }

  #contextOf(unitClass: number | null): number {
    if (unitClass === null) return 0
    const { contextSets } = this.program
    return contextSets.reduce((bits, set, i) => (this.#isIn(set, unitClass) ? bits | (1 << i) : bits), 0)
  }

  #isIn(set: number, unitClass: number): boolean {
    const { members, size } = this.program.alphabet
    return members[set * size + unitClass] === 1
  }

  #stateOf(threads: readonly number[], context: number): State {
    const sorted = Int32Array.from(new Set(threads)).sort()
    const key = `${context}:${sorted.join()}`
    const known = this.#states.get(key)
    if (known) return known
    if (this.#kept > MOST_KEPT) this.#forget()
    const state = this.#make(sorted, context)
    this.#states.set(key, state)
    return state
  }

  /** Drops all states. Searches in progress keep the states that they hold. */
  #forget(): void {
    this.#states.clear()
    this.start.next.fill(undefined)
    this.#kept = 0
  }

  #make(threads: Int32Array, context: number): State {
    this.#kept += this.program.alphabet.size + 3 * threads.length + 8
    const next = new Array<State | undefined>(this.program.alphabet.size).fill(undefined)
    return { next, threads, context, occursAtEnd: undefined }
  }
}
