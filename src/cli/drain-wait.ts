/** Waits until drained servers have no connections, and shows the progress. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlError, fetchConnections } from '../api/client.js'
import type { ConnectionsAnswer } from '../api/connection-types.js'
import type { TargetName } from '../api/override-types.js'
import { counted } from '../util/plural.js'
import { printable } from '../util/printable.js'
import { dateTime, formatUptime } from '../util/time-text.js'
import { wrap } from '../util/wrap-text.js'
import type { CommandContext } from './command.js'
import {
  type Draining,
  DrainProgress,
  drainNotes,
  isEmpty,
  isOver,
  leftOf,
  nameOf,
  progressLines,
  summaryLine,
} from './terminal/drain.js'

export interface DrainWait {
  readonly context: Pick<CommandContext, 'screen' | 'print' | 'write' | 'warn' | 'onSignal' | 'outputClosed'>
  readonly socket: string
  readonly targets: readonly TargetName[]
  /** Milliseconds. */
  readonly wait: number
  /** True: nothing is printed; the outcome contains everything. */
  readonly isQuiet: boolean
  /** Milliseconds between two requests; the default increases with the time that an answer takes. */
  readonly every?: number
}

/** empty: no connections. left: connections, or new clients. interrupted: by a signal. lost: no answer. */
export interface DrainOutcome {
  readonly outcome: 'empty' | 'left' | 'interrupted' | 'lost'
  readonly seconds: number
  /** Why the daemon's last answer is missing or unusable; null otherwise. */
  readonly trouble: string | null
  /** What the kernel's counters do not show about these services. */
  readonly notes: readonly string[]
  readonly reals: readonly Draining[]
}

/** Milliseconds between two requests: minimum, maximum, and as a multiple of the time that an answer takes. */
const EVERY = 1000
const EVERY_AT_MOST = 10_000
const EVERY_PER_ANSWER = 20
/** Minimum milliseconds between two lines where there is no terminal. */
const LINE_EVERY = 5000
/** Maximum number of targets in one request: its size is limited. */
const TARGETS_AT_ONCE = 400
/** More servers than this are shown as a number. */
const MOST_NAMED = 10

export async function waitForDrain(wait: DrainWait): Promise<DrainOutcome> {
  const interrupted = new AbortController()
  const unlisten = wait.context.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => interrupted.abort())
  try {
    return await new Waiter(wait, interrupted.signal).run()
  } finally {
    unlisten()
  }
}

class Waiter {
  readonly #wait: DrainWait
  readonly #stop: AbortSignal
  readonly #began = performance.now()
  readonly #progress = new DrainProgress()
  #reals: readonly Draining[] = []
  #notes: readonly string[] | null = null
  #trouble: string | null = null
  /** Number of lines on the terminal that the next output replaces. */
  #drawn = 0
  #lastLine = { text: '', at: Number.NEGATIVE_INFINITY }

  constructor(wait: DrainWait, interrupted: AbortSignal) {
    this.#wait = wait
    this.#stop = AbortSignal.any([interrupted, wait.context.outputClosed])
  }

  async run(): Promise<DrainOutcome> {
    for (;;) {
      const asked = performance.now()
      await this.#look()
      if (this.#stop.aborted) return this.#outcome('interrupted')
      this.#show()
      const left = this.#began + this.#wait.wait - performance.now()
      if (this.#trouble === null && this.#reals.every(isOver))
        return this.#outcome(this.#reals.every(isEmpty) ? 'empty' : 'left')
      if (left <= 0) return this.#outcome(this.#trouble === null ? 'left' : 'lost')
      const every =
        this.#wait.every ??
        Math.min(Math.max(EVERY, EVERY_PER_ANSWER * (performance.now() - asked)), EVERY_AT_MOST)
      await sleep(Math.min(every, left), undefined, { signal: this.#stop }).catch(() => {})
      if (this.#stop.aborted) return this.#outcome('interrupted')
    }
  }

  /** A daemon that does not answer may be restarting, so requests continue until the end of the wait. */
  async #look(): Promise<void> {
    try {
      const answers = await this.#ask()
      this.#trouble = answers.map(({ trouble }) => trouble).find(trouble => trouble !== null) ?? null
      if (this.#trouble !== null) return
      const now = performance.now()
      this.#reals = answers.flatMap(({ services, timeouts }) => this.#progress.read(services, timeouts, now))
      if (this.#notes === null) this.#reportNotes([...new Set(answers.flatMap(drainNotes))])
    } catch (error) {
      if (!(error instanceof ControlError)) throw error
      this.#trouble = error.message
    }
  }

  async #ask(): Promise<ConnectionsAnswer[]> {
    const { targets, socket } = this.#wait
    const answers: ConnectionsAnswer[] = []
    for (let from = 0; from < targets.length; from += TARGETS_AT_ONCE)
      answers.push(await fetchConnections(socket, { targets: targets.slice(from, from + TARGETS_AT_ONCE) }))
    return answers
  }

  #reportNotes(notes: readonly string[]): void {
    this.#notes = notes
    const { context, isQuiet } = this.#wait
    if (isQuiet) return
    const { width } = context.screen
    for (const note of notes.slice(0, MOST_NAMED))
      context.print(Number.isFinite(width) ? wrap(printable(note), width) : printable(note))
  }

  #show(): void {
    if (this.#wait.isQuiet) return
    if (this.#wait.context.screen.isTerminal) this.#draw()
    else this.#showLine()
  }

  #draw(): void {
    const { context, wait } = this.#wait
    const waited = performance.now() - this.#began
    const lines = progressLines(this.#reals, { waited, wait, trouble: this.#trouble }, context.screen)
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''
    context.write(`${up}\r${lines.map(line => `${line}\u001b[K\n`).join('')}\u001b[J`)
    this.#drawn = lines.length
  }

  /** Prints one line for each change, with a minimum pause between two lines. */
  #showLine(): void {
    const now = performance.now()
    const text = this.#trouble ?? summaryLine(this.#reals)
    if (text === this.#lastLine.text || now - this.#lastLine.at < LINE_EVERY) return
    this.#lastLine = { text, at: now }
    this.#wait.context.print(`${dateTime(Date.now())}  ${printable(text)}`)
  }

  #outcome(outcome: DrainOutcome['outcome']): DrainOutcome {
    // The terminal has printed ^C at the cursor.
    if (outcome === 'interrupted' && this.#drawn > 0) this.#wait.context.write('\r\u001b[K')
    const seconds = Math.round((performance.now() - this.#began) / 100) / 10
    return { outcome, seconds, trouble: this.#trouble, notes: this.#notes ?? [], reals: this.#reals }
  }
}

/** Returns a sentence for each server, or one for all if they are many. */
export function outcomeLines({ outcome, seconds, reals, trouble }: DrainOutcome, undo: string): string[] {
  const after = `after ${formatUptime(seconds * 1000)}`
  if (outcome === 'empty') return emptyLines(reals, after)
  const rest = reals.filter(one => !isEmpty(one))
  const named =
    rest.length > MOST_NAMED ? [summaryLine(reals)] : rest.map(one => `${nameOf(one)}: ${sentenceOf(one)}`)
  const lines = [
    ...(outcome === 'interrupted' ? [`Interrupted ${after}.`] : []),
    ...(trouble === null ? [] : [trouble]),
    ...named,
  ]
  const isDrained = rest.some(({ state }) => state !== 'undrained') || rest.length === 0
  return isDrained ? [...lines, `The drain stays in force; end it with: ${undo}`] : lines

  function sentenceOf(one: Draining): string {
    if (one.state === 'undrained') return `no longer drained, weight ${one.weight}`
    return `not empty ${after}: ${leftOf(one)}`
  }
}

function emptyLines(reals: readonly Draining[], after: string): string[] {
  if (reals.length > MOST_NAMED) return [`${counted(reals.length, 'server')} empty ${after}`]
  return reals.map(one =>
    one.state === 'absent'
      ? `${nameOf(one)}: not in the kernel's table, so it gets no connections`
      : `${nameOf(one)}: empty ${after}`,
  )
}
