/** Expands short forms, `'[2001:db8::1]:80 masq 2'` or `300s`, to the entries of a mapping. */
import { characters } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import { type RawEntry, type RawNode, type RawScalar, textOf } from '../raw.js'
import type { ShortForm } from '../schema/forms.js'

/**
 * Returns the entries. Reports an error and returns null if the words do not fit. `key`: the key before the short form,
 * or null.
 */
export function entriesOf(
  node: RawNode,
  { keys, wrong }: ShortForm,
  key: string | null,
  report: Report,
): readonly RawEntry[] | null {
  const [only = ''] = keys
  if (!wrong || node.kind !== 'scalar') {
    return [{ key: only, keyAt: node.at, value: node, ...(key !== null && { called: key }) }]
  }
  const text = textOf(node) ?? ''
  const words = [...text.matchAll(/\S+/g)]
  if (words.length === 0 || words.length > keys.length) {
    report.error(wrong.code, node.at, `${tooMany(words.slice(keys.length), keys)}${wrong.form}`)
    return null
  }
  const entries = wordsAs(keys, words, text, node)
  const misplaced = entries.find(entry => !isOfItsSort(entry))
  if (!misplaced) return entries
  report.error(wrong.code, misplaced.value.at, `${whyMisplaced(misplaced, keys)}; ${wrong.form}`)
  return null
}

/** Returns the begin of a message about the words for which there are no keys. */
function tooMany([first, ...more]: readonly RegExpExecArray[], keys: readonly string[]): string {
  if (!first) return ''
  if (!keys.includes('weight') && isNumber(first[0]))
    return `"${first[0]}" is one word too many: a fallback has no weight; `
  return more.length === 0
    ? `"${first[0]}" is one word too many; `
    : `there are ${more.length + 1} words too many, from "${first[0]}" on; `
}

/** Assigns the words of the text to the keys, each with its position. */
function wordsAs(
  keys: readonly string[],
  words: readonly RegExpExecArray[],
  text: string,
  { at }: RawScalar,
): readonly RawEntry[] {
  const placeOf = placesIn(text, at)
  return words.map(({ 0: word, index }, i) => {
    const place = placeOf(word, index)
    const key = keys[i] ?? ''
    const value = key === 'weight' && isNumber(word) ? Number(word) : word
    return { key, keyAt: place, value: { kind: 'scalar', value, at: place } }
  })
}

/** Returns the entry of the first word alone. */
export function firstEntryOf(key: string, word: string, text: string, { at }: RawNode): RawEntry {
  const place = placesIn(text, at)(word, 0)
  return { key, keyAt: place, value: { kind: 'scalar', value: word, at: place } }
}

function placesIn(text: string, at: Position): (word: string, index: number) => Position {
  // In a quoted text the content begins one column later. In a folded text each word has the position of the whole
  // text.
  const all = characters(text)
  const quotes = at.length - all
  const shift = quotes === 0 ? 0 : quotes === 2 ? 1 : null
  // There are thousands of texts, and nearly none of them has characters of two units.
  const lengthOf = all === text.length ? unitsOf : characters
  return (word, index) => {
    const column = at.column + (shift ?? 0) + lengthOf(text.slice(0, index))
    return shift === null ? at : { ...at, column, length: lengthOf(word) }
  }
}

const unitsOf = (text: string) => text.length

/** Also true for numbers that are no valid weight, so that they are reported as a weight. */
function isNumber(word: string): boolean {
  return /^[+-]?\d+(?:\.\d+)?$/.test(word)
}

/**
 * True if the word has the type of its key: weights are numbers, forwardings are not. Words in the wrong order fail
 * this test.
 */
function isOfItsSort({ key, value }: RawEntry): boolean {
  if (key === 'address' || value.kind !== 'scalar') return true
  return isNumber(String(value.value)) === (key === 'weight')
}

function whyMisplaced({ key, value }: RawEntry, keys: readonly string[]): string {
  const word = value.kind === 'scalar' ? value.value : ''
  if (key === 'weight') return `the weight "${word}" is not a number`
  return keys.includes('weight')
    ? `"${word}" is not a forwarding: the weight follows the forwarding`
    : `"${word}" is not a forwarding: a fallback has no weight`
}
