/** Writes a large value as JSON in time slices. */
import { isPlainObject } from './plain-data.js'
import { eachInSteps, type Sliced } from './time-slice.js'

/** Levels of objects and lists whose members are written one by one: a document, its services, their real servers. */
const LEVELS = 4

/** Characters that are encoded at a time. */
const PIECE = 64 * 1024

/**
 * Returns the bytes of what `JSON.stringify` makes of plain data. To join the texts of thousands of servers, and to encode and
 * measure them when they are sent, would be a long turn, so they are encoded in pieces. `levels`: what is below them is
 * written in one step.
 */
export function* writingJson(value: unknown, levels = LEVELS): Sliced<Buffer> {
  const bytes = new Bytes()
  yield* writing(value, levels, bytes)
  yield
  return bytes.end()
}

class Bytes {
  readonly #pieces: Buffer[] = []
  #text = ''

  add(text: string): void {
    this.#text += text
    if (this.#text.length >= PIECE) this.#encode()
  }

  end(): Buffer {
    this.#encode()
    return Buffer.concat(this.#pieces)
  }

  #encode(): void {
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }
}

function* writing(value: unknown, levels: number, into: Bytes): Sliced<void> {
  if (levels > 0 && Array.isArray(value)) yield* writingList(value, levels - 1, into)
  else if (levels > 0 && isPlainObject(value)) yield* writingObject(value, levels - 1, into)
  // Of a list: what JSON does not have is null there.
  else into.add(JSON.stringify(value) ?? 'null')
}

function* writingList(list: readonly unknown[], levels: number, into: Bytes): Sliced<void> {
  let before = '['
  if (levels === 0)
    yield* eachInSteps(list, one => {
      into.add(`${before}${JSON.stringify(one) ?? 'null'}`)
      before = ','
    })
  else
    for (const one of list) {
      into.add(before)
      before = ','
      yield* writing(one, levels, into)
      yield
    }
  into.add(list.length === 0 ? '[]' : ']')
}

function* writingObject(
  object: Readonly<Record<string, unknown>>,
  levels: number,
  into: Bytes,
): Sliced<void> {
  let before = '{'
  for (const [key, one] of Object.entries(object)) {
    if (one === undefined) continue
    into.add(`${before}${JSON.stringify(key)}:`)
    before = ','
    yield* writing(one, levels, into)
  }
  into.add(before === '{' ? '{}' : '}')
}
