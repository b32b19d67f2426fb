/** Lines of the text of gauges and counters, written as bytes: of a scrape, nearly all are those of real servers. */

/** Bytes of a value; a number has at most 24 characters. */
const MOST_OF_VALUE = 32
const FIRST_SIZE = 1024
/** From here on, a value is written as `String` does. */
const MOST_DIGITS = 1e9

const ZERO = 0x30
const OPEN = 0x7b
const COMMA = 0x2c
const CLOSE = 0x7d
const SPACE = 0x20

const encoder = new TextEncoder()

/** Returns labels for `Lines`. All are plain arrays: buffers among them would make the loops slower. */
export function bytesOf(labels: string): Uint8Array {
  return encoder.encode(labels)
}

export const NO_BYTES: Uint8Array = bytesOf('')

/** A line that has been written. */
interface Line {
  first: Uint8Array
  second: Uint8Array
  value: number
  from: number
  to: number
}

/**
 * The lines of one metric. Their memory is used again from scrape to scrape: a line that is the same at the same place
 * is not written again, and nothing is left to collect. Objects or texts for each line cost more than twice as much.
 */
export class Lines {
  readonly #start: Uint8Array
  readonly #written: Line[] = []
  #bytes = new Uint8Array(FIRST_SIZE)
  #count = 0
  #length = 0

  constructor(name: string) {
    this.#start = bytesOf(`\n${name}`)
  }

  /** The lines, each after an end of line, until the next `clear`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  clear(): void {
    this.#written.length = this.#count
    this.#count = 0
    this.#length = 0
  }

  /**
   * Adds a line. `first` and `second` are labels as text (`bytesOf`), without braces, whose bytes do not change; `second`
   * is not empty.
   */
  add(first: Uint8Array, second: Uint8Array, value: number): void {
    const from = this.#length
    const line = this.#written[this.#count++]
    if (
      line !== undefined &&
      line.value === value &&
      line.second === second &&
      line.first === first &&
      line.from === from
    ) {
      this.#length = line.to
      return
    }
    this.#write(first, second, value)
    const to = this.#length
    if (line === undefined) this.#written.push({ first, second, value, from, to })
    else {
      line.first = first
      line.second = second
      line.value = value
      line.from = from
      line.to = to
    }
  }

  #write(first: Uint8Array, second: Uint8Array, value: number): void {
    const start = this.#start
    this.#reserve(start.length + first.length + second.length + MOST_OF_VALUE)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < start.length; i++) bytes[at++] = start[i] as number
    bytes[at++] = OPEN
    for (let i = 0; i < first.length; i++) bytes[at++] = first[i] as number
    if (first.length > 0) bytes[at++] = COMMA
    for (let i = 0; i < second.length; i++) bytes[at++] = second[i] as number
    bytes[at++] = CLOSE
    bytes[at++] = SPACE
    this.#length = isShort(value) ? writeDigits(bytes, at, value) : writeText(bytes, at, String(value))
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const larger = new Uint8Array(2 * this.#bytes.length + size)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** True for a whole number of at most nine digits: nearly all values are. */
function isShort(value: number): boolean {
  return value >= 0 && value < MOST_DIGITS && (value | 0) === value
}

/** Writes the decimal digits at `at`. Returns the position behind them. */
function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  let end = at + 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) end++
  let rest = value
  for (let i = end - 1; i >= at; i--) {
    bytes[i] = ZERO + (rest % 10)
    rest = (rest / 10) | 0
  }
  return end
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}
