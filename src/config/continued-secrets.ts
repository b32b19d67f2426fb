/**
 * Finds the lines into which a secret continues: of a block scalar, a quoted or plain text of several lines, a list or a
 * mapping. It uses the text, because a file with invalid syntax has no tree. A line in doubt belongs to the secret.
 */
import { type IsSecretName, secretsIn } from './secret-text.js'

/** Quotes and brackets that are open at the end of a line. */
interface Nesting {
  readonly quote: string
  readonly depth: number
}

/** A secret that is not complete at the end of a line. */
interface Open extends Nesting {
  /** Lines with more indentation belong to the secret. Null if it ends with its quotes and brackets. */
  readonly indent: number | null
  /** Quotes and brackets have no meaning in the lines below: a plain text or a block scalar. */
  readonly isText: boolean
  /** Only lines with more indentation belong to the secret: its file may be in the format of another program. */
  readonly isStrict?: boolean
}

const CLOSED: Nesting = { quote: '', depth: 0 }

/** Returns a function that tells whether the line at an index is the continuation of a secret above it. */
export function continuedSecrets(
  lines: readonly string[],
  isSecret: IsSecretName,
): (index: number) => boolean {
  const known: boolean[] = []
  let open: Open | null = null
  return index => {
    while (known.length <= Math.min(index, lines.length - 1)) {
      const line = lines[known.length] ?? ''
      const isWithin: boolean = open !== null && isContinuation(line, open)
      known.push(isWithin)
      open = isWithin && open ? openWithin(line, open, isSecret) : openAfter(line, isSecret)
    }
    return known[index] ?? false
  }
}

/** Matches a line that begins with a key of YAML. */
const ENTRY = /^\s*(?:[-?]\s+)*["']?[\w-]+["']?\s*:(?:\s|$)/

/** Matches a line that begins a new key or item, a comment, or the end of a document. */
const NEW_ENTRY = /^\s*(?:#|-\s|---|\.\.\.|[\]}]|["']?[\w.-]+["']?\s*[:=])/

function isContinuation(line: string, { indent, quote, depth, isStrict }: Open): boolean {
  if (quote !== '' || depth > 0 || line.trim() === '') return true
  return indentOf(line) > (indent ?? 0) || (!isStrict && !NEW_ENTRY.test(line))
}

/** Returns the secret that is open after a line of it. */
function openWithin(line: string, open: Open, isSecret: IsSecretName): Open | null {
  if (open.isText) return open
  const start = open.quote !== '' || open.depth > 0 ? 0 : valueStart(line)
  if (start === null) return open
  const { end, ...nesting } = followed(line.slice(start), open)
  if (nesting.quote !== '' || nesting.depth > 0) return { ...open, ...nesting }
  return open.indent === null ? openAfter(line.slice(start + end), isSecret) : { ...open, ...CLOSED }
}

/** Returns the offset of a quote or bracket that begins the value of an item or key, or null. */
function valueStart(line: string): number | null {
  const [, head] = /^(\s*(?:- +)*(?:[^\s"'{[:]+:\s+)?(?:[&!]\S*\s+)*)["'{[]/.exec(line) ?? []
  return head?.length ?? null
}

/** Returns the secret whose name stands in the line, if it may continue in the next one. */
function openAfter(line: string, isSecret: IsSecretName): Open | null {
  if (/^\s*#/.test(line)) return null
  const indent = /^\s*(?:-\s+)*/.exec(line)?.[0].length ?? 0
  const explicit = /^\s*\?\s+["']?([\w-]+)/.exec(line)?.[1]
  if (explicit !== undefined && isSecret(explicit)) return { indent, isText: false, ...CLOSED }
  const secret = secretsIn(line, isSecret).at(-1)
  if (!secret || secret.isAssigned || secret.isClosed) return null
  const text = secret.text.replace(/^(?:[&!]\S*(?:\s+|$))*/, '')
  const { end: _, ...nesting } = /^["'{[]/.test(text) ? followed(text, CLOSED) : { ...CLOSED, end: 0 }
  if (nesting.quote !== '' || nesting.depth > 0) return { indent: null, isText: false, ...nesting }
  // A plain text in a mapping on one line continues until a comma or a brace.
  if (secret.isInline) return { indent: null, isText: false, quote: '', depth: 1 }
  return { indent, isText: !/^(?:#|$)/.test(text), isStrict: !ENTRY.test(line), ...CLOSED }
}

/** Follows quotes and brackets to the end of the text, or to the end of the value, at `end`. */
function followed(text: string, { quote, depth }: Nesting): Nesting & { readonly end: number } {
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? ''
    if (quote !== '') {
      if (character === '\\' && quote === '"') i++
      else if (character === quote && quote === "'" && text[i + 1] === "'") i++
      else if (character === quote) quote = ''
    } else if (/["']/.test(character) && isStart(text, i)) quote = character
    else if (/[{[]/.test(character)) depth++
    else if (/[}\]]/.test(character)) depth--
    else if (character === '#' && isStart(text, i)) return { quote, depth, end: text.length }
    if (quote === '' && depth <= 0) return { ...CLOSED, end: i + 1 }
  }
  return { quote, depth, end: text.length }
}

/** True if a value can begin at the offset: an apostrophe within a word is no quote. */
function isStart(text: string, offset: number): boolean {
  return offset === 0 || /[\s,:{[]/.test(text[offset - 1] ?? '')
}

/**
 * Returns the indentation. The `-` of a list item counts as one column, because a list may begin in the column of its
 * key.
 */
function indentOf(line: string): number {
  const blanks = /^\s*/.exec(line)?.[0].length ?? 0
  return line[blanks] === '-' ? blanks + 1 : blanks
}
