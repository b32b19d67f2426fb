/** Reports the errors of the YAML parser in messages for people. */
import type { Code } from '../problems/codes.js'
import type { Locate } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'

export interface Fault {
  /** Code of the parser. */
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
  /** Offset of the quote, { or [ that is still open at `pos`, or null. */
  readonly opener: number | null
}

/** Reports the errors, at most one per line: further errors in a line follow from the first one. */
export function reportFaults(faults: readonly Fault[], text: string, locate: Locate, report: Report): void {
  const hasTabs = faults.some(({ code }) => code === 'TAB_AS_INDENT')
  const lines = new Set<number>()
  for (const fault of faults) {
    const [code, message, at] = sentenceOf(fault, text, locate)
    const isTold = lines.has(at.line) || lines.has(locate(fault.pos[0]).line)
    if (isTold || (hasTabs && code === 'SYNTAX')) continue
    lines.add(at.line)
    report.error(code, at, message)
  }
}

type Sentence = readonly [Code, string, Position]

/** Messages for codes of the parser. For other codes the parser's own message is used. */
const SENTENCES: Readonly<Record<string, readonly [Code, string]>> = {
  TAB_AS_INDENT: ['TAB_INDENT', 'a tab; YAML is indented with spaces'],
  TAG_RESOLVE_FAILED: [
    'UNKNOWN_TAG',
    'this tag has no meaning here; a value that begins with ! needs quotes',
  ],
  BAD_SCALAR_START: ['QUOTES_NEEDED', "a value cannot begin with this sign; put the value in quotes: '…'"],
  MULTILINE_IMPLICIT_KEY: ['SYNTAX', 'expected "key: value" on one line; is a colon missing?'],
  BLOCK_AS_IMPLICIT_KEY: [
    'SYNTAX',
    'a second ": " in one value; put the value in quotes, or the second key on a line of its own',
  ],
  BAD_INDENT: ['SYNTAX', 'the indentation does not fit: the keys of one mapping begin in the same column'],
}

function sentenceOf(fault: Fault, text: string, locate: Locate): Sentence {
  const [start, end] = fault.pos
  const brackets = bracketsWithoutQuotes(text, start)
  if (brackets) {
    const message = `YAML reads [ ] as a list; put the value in quotes: '${brackets.value}'`
    return ['QUOTES_NEEDED', message, locate(brackets.start, brackets.start + brackets.value.length)]
  }
  const open = unclosed(fault, text)
  if (open) return ['SYNTAX', open.message, locate(open.at)]
  const item = itemWithKeys(fault, text)
  if (item !== null)
    return ['SYNTAX', `keys follow this item, so it needs one too: - address: ${item}`, locate(start, end)]
  const deeper = deeperLine(fault, text)
  if (deeper) return ['SYNTAX', deeper.message, locate(deeper.at, deeper.end)]
  const [code, message] = SENTENCES[fault.code] ?? ['SYNTAX', plainSentence(fault)]
  // The range of the parser includes the blanks before an invalid line.
  const blanks = /^[ \t]*(?=\S)/.exec(text.slice(start))?.[0].length ?? 0
  return [
    code,
    message,
    code === 'SYNTAX' ? locate(start + blanks, Math.max(end, start + blanks + 1)) : locate(start, end),
  ]
}

/**
 * Returns the address in `- 192.0.2.1:80` if keys follow below it. The item was meant as a mapping with this address.
 */
function itemWithKeys({ code, pos: [start] }: Fault, text: string): string | null {
  if (code !== 'MULTILINE_IMPLICIT_KEY') return null
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  return /^\s*- +(?=['"]?\[|\d)((['"]?)[^\s'"#]+\2)/.exec(line)?.[1] ?? null
}

/** Names the key only, because the value may be a password. */
function keyOf(line: string): string {
  const key = /^(?:- +)?([\w.-]+):/.exec(line)?.[1]
  return key === undefined ? 'the line above' : `"${key}" above`
}

/** Finds `request: /` below `kind: http` with more indentation. The error is the indentation, not the colon. */
function deeperLine(
  { code, pos: [start] }: Fault,
  text: string,
): { at: number; end: number; message: string } | null {
  if (code !== 'BLOCK_AS_IMPLICIT_KEY' && code !== 'MULTILINE_IMPLICIT_KEY') return null
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const [, line = '', indent = '', above = '', gap = '', key = ''] =
    /^(( *)([^\s#].*?) *)\n((?:\s*\n)*)( +[\w.-]+:(?= |\n|$))/.exec(
      text.slice(lineStart, lineStart + 2000),
    ) ?? []
  const blanks = /^ */.exec(key)?.[0].length ?? 0
  if (key === '' || blanks <= indent.length || !/^[\w.-]+: +\S/.test(above)) return null
  const at = lineStart + line.length + 1 + gap.length + blanks
  return {
    at,
    end: at + key.trim().length,
    message: `the indentation does not fit: ${keyOf(above)} has a value already, so this key begins in the same column as that one`,
  }
}

/** Finds an unclosed quote, { or [. It is reported where it opens, not at the end of the text. */
function unclosed({ code, message, opener }: Fault, text: string): { at: number; message: string } | null {
  const isOpen =
    message.includes('end with a') || (code === 'MISSING_CHAR' && !message.includes('Implicit map keys'))
  return opener !== null && isOpen ? { at: opener, message: `this ${text[opener]} is never closed` } : null
}

/** Text of the file follows a colon in messages of the parser. It may be a password, and is left out. */
function plainSentence({ code, message }: Fault): string {
  if (code === 'MISSING_CHAR' && message.includes('Implicit map keys'))
    return 'expected "key: value"; is a colon missing, or the blank after it?'
  const [sentence = ''] = message.split(': ', 1)
  return `this is not YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}

/** Finds an unquoted IPv6 address in brackets on the line of `offset`. This is the most frequent mistake. */
function bracketsWithoutQuotes(text: string, offset: number): { start: number; value: string } | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  const [, before = '', value = ''] = BRACKETS.exec(line) ?? []
  return value !== '' && !value.endsWith(']') ? { start: lineStart + before.length, value } : null
}

/** Matches an address such as `- [2001:db8::1]:80 gate 10`, up to a comment. */
const BRACKETS =
  /^(.*?(?:: |- )\s*)(\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.]+)?\][^\s#,]*(?: +[a-z]+(?: +\d+)?)?)/
