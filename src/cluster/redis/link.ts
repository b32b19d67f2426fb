/**
 * Keeps one connection to Redis open: opens it, proves that it works, proves so again every second, and opens a new one
 * after a growing pause when it does not. One attempt at a time, each with a time limit.
 *
 *   state     event                                    next
 *   closed    start                                    opening, as soon as what it needs is ready
 *   opening   opened and proved within ATTEMPT         open: onUp
 *   opening   an error, or the time limit              waiting
 *   open      the connection ends, or a proof fails    waiting: onDown
 *   waiting   the pause is over                        opening
 *   any       stop                                     closed; onDown if it was open
 *
 * The pause: 100 ms after the first failure, twice as long after each further one, at most 3 s; a random share from half
 * to the whole of it, so that the directors of a site do not come all at once.
 */
import type { Clock } from '../../util/clock.js'
import type { Connection } from './client.js'

export interface LinkParts {
  readonly clock: Pick<Clock, 'alarm' | 'random'>
  /** What an attempt needs, outside its time limit; has one of its own. */
  prepare?(): Promise<void>
  /** Opens a connection; `onEnd` is called when it ends by itself. */
  open(attempt: number, onEnd: (error: unknown) => void): Promise<Connection>
  /** Proves that the connection works. Called once at its begin, then every second. */
  prove(connection: Connection, isFirst: boolean): Promise<void>
  onUp(connection: Connection): void
  /** The connection is lost, or an attempt has failed. */
  onDown(error: unknown): void
}

/** Milliseconds. */
export const ATTEMPT = 3000
export const PROVE_EVERY = 1000
const FIRST_PAUSE = 100
export const LONGEST_PAUSE = 3000

export class Link {
  readonly #parts: LinkParts
  #isRunning = false
  /** Grows with each attempt and each stop: what belongs to an earlier one is dropped. */
  #turn = 0
  #failures = 0
  #connection: Connection | null = null
  #isUp = false
  #isProving = false
  #cancel = () => {}

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** The connection if it works, else null. */
  get connection(): Connection | null {
    return this.#isUp ? this.#connection : null
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#open()
  }

  /** Closes the connection. Nothing is called any more. */
  stop(): void {
    this.#isRunning = false
    this.#leave()
  }

  /** Gives the connection up because of what a command has met, and opens a new one after the pause. */
  drop(connection: Connection, error: unknown): void {
    if (connection === this.#connection && this.#isUp) this.#failed(error, this.#turn)
  }

  /** Proves the connection now: a command has met a doubtful answer. */
  doubt(connection: Connection): void {
    if (connection !== this.#connection || !this.#isUp || this.#isProving) return
    this.#cancel()
    void this.#proveAgain(connection, this.#turn)
  }

  #open(): void {
    const turn = ++this.#turn
    const { prepare } = this.#parts
    if (prepare)
      prepare().then(
        () => turn === this.#turn && this.#begin(turn),
        error => this.#failed(error, turn),
      )
    else this.#begin(turn)
  }

  #begin(turn: number): void {
    this.#cancel = this.#parts.clock.alarm(ATTEMPT, () => this.#failed(TOO_LATE, turn))
    this.#attempt(turn).catch(error => this.#failed(error, turn))
  }

  async #attempt(turn: number): Promise<void> {
    const { open, prove, onUp } = this.#parts
    const connection = await open(this.#failures, error => this.#failed(error, turn))
    if (turn !== this.#turn) {
      connection.close()
      return
    }
    this.#connection = connection
    await prove(connection, true)
    if (turn !== this.#turn) return
    this.#isUp = true
    this.#failures = 0
    this.#wait(connection, turn)
    onUp(connection)
  }

  #wait(connection: Connection, turn: number): void {
    this.#cancel()
    this.#cancel = this.#parts.clock.alarm(PROVE_EVERY, () => void this.#proveAgain(connection, turn))
  }

  async #proveAgain(connection: Connection, turn: number): Promise<void> {
    this.#isProving = true
    try {
      await this.#parts.prove(connection, false)
      if (turn === this.#turn) this.#wait(connection, turn)
    } catch (error) {
      this.#failed(error, turn)
    } finally {
      if (turn === this.#turn) this.#isProving = false
    }
  }

  #failed(error: unknown, turn: number): void {
    if (turn !== this.#turn || !this.#isRunning) return
    this.#leave()
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures++, 10))
    const { clock, onDown } = this.#parts
    this.#cancel = clock.alarm(longest * (0.5 + clock.random() / 2), () => this.#open())
    onDown(error)
  }

  /** Ends the attempt or the connection. */
  #leave(): void {
    this.#turn++
    this.#cancel()
    this.#isUp = false
    this.#isProving = false
    this.#connection?.close()
    this.#connection = null
  }
}

/** An attempt has reached its time limit. */
export const TOO_LATE = Object.assign(new Error(`no connection within ${ATTEMPT} ms`), { code: 'ETIMEDOUT' })
