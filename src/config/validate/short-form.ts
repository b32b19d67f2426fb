/** `'[2001:db8::1]:80 masq 2'`: the words of a text, each as an entry with its own place. */
import { characters } from '../problems/position.js'
import type { RawEntry, RawScalar } from '../raw.js'

/** The text's words under the keys, or null where there are more words than keys. */
export function wordsAs(
  keys: readonly string[],
  text: string,
  { at }: RawScalar,
): readonly RawEntry[] | null {
  const words = [...text.matchAll(/\S+/g)]
  if (words.length === 0 || words.length > keys.length) return null
  // Within quotes the text begins one character later; in folded text places are those of the whole.
  const quotes = at.length - characters(text)
  const shift = quotes === 0 ? 0 : quotes === 2 ? 1 : null
  return words.map(({ 0: word, index }, i) => {
    const column = at.column + (shift ?? 0) + characters(text.slice(0, index))
    const place = shift === null ? at : { line: at.line, column, length: characters(word) }
    const key = keys[i] ?? ''
    const value = key === 'weight' && isNumber(word) ? Number(word) : word
    return { key, keyAt: place, value: { kind: 'scalar', value, at: place } }
  })
}

/** Also those that no weight can have, so that it is told as the weight. */
export function isNumber(word: string): boolean {
  return /^[+-]?\d+(?:\.\d+)?$/.test(word)
}
