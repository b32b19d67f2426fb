/** Short forms, `'[2001:db8::1]:80 masq 2'` or `300s`: the entries of the mapping for which they stand. */
import { characters } from '../problems/position.js'
import type { Report } from '../problems/report.js'
import { type RawEntry, type RawNode, type RawScalar, textOf } from '../raw.js'
import type { ShortForm } from '../schema/forms.js'

/** The entries; null where the words do not fit, which has been told. `key`: the one before the short form, if any. */
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
  const entries = wordsAs(keys, textOf(node) ?? '', node)
  const misplaced = entries?.find(entry => !isOfItsSort(entry))
  if (entries && !misplaced) return entries
  if (misplaced)
    report.error(wrong.code, misplaced.value.at, `${whyMisplaced(misplaced, keys)}; ${wrong.form}`)
  else report.error(wrong.code, node.at, wrong.form)
  return null
}

/** The text's words under the keys, each with its own place, or null where there are more words than keys. */
function wordsAs(keys: readonly string[], text: string, { at }: RawScalar): readonly RawEntry[] | null {
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
function isNumber(word: string): boolean {
  return /^[+-]?\d+(?:\.\d+)?$/.test(word)
}

/** Weights are numbers, forwardings words: one in the place of the other is a slip of the order. */
function isOfItsSort({ key, value }: RawEntry): boolean {
  if (key === 'address' || value.kind !== 'scalar') return true
  return isNumber(String(value.value)) === (key === 'weight')
}

function whyMisplaced({ key, value }: RawEntry, keys: readonly string[]): string {
  const word = value.kind === 'scalar' ? value.value : ''
  if (key === 'weight') return `the weight is "${word}", which is no number`
  return keys.includes('weight')
    ? `"${word}" stands where the forwarding is expected: a weight comes behind it`
    : `"${word}" stands where the forwarding is expected: a fallback has no weight`
}
