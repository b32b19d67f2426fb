/** What the YAML parser finds wrong, in words for people. */
import type { Code } from '../problems/codes.js'
import type { Locate } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'

export interface Fault {
  /** The parser's. */
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
  /** Where the quoted text, { or [ begins that is still open at `pos`. */
  readonly opener: number | null
}

/** Tells the faults, one a line: what the parser says of the rest of a broken line follows from the first. */
export function tellFaults(faults: readonly Fault[], text: string, locate: Locate, report: Report): void {
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

/** What the parser's codes mean to a person; others keep the parser's own sentence. */
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
  // The parser counts the blanks before a wrong line as part of it.
  const blanks = /^[ \t]*(?=\S)/.exec(text.slice(start))?.[0].length ?? 0
  return [
    code,
    message,
    code === 'SYNTAX' ? locate(start + blanks, Math.max(end, start + blanks + 1)) : locate(start, end),
  ]
}

/** `- 192.0.2.1:80` with keys below it: the item was meant to be the address of a mapping. */
function itemWithKeys({ code, pos: [start] }: Fault, text: string): string | null {
  if (code !== 'MULTILINE_IMPLICIT_KEY') return null
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  return /^\s*- +(?=['"]?\[|\d)((['"]?)[^\s'"#]+\2)/.exec(line)?.[1] ?? null
}

/** A value may be a password. */
function keyOf(line: string): string {
  const key = /^(?:- +)?([\w.-]+):/.exec(line)?.[1]
  return key === undefined ? 'the line above' : `"${key}" above`
}

/** `kind: http` and below it, deeper, `request: /`: the indentation is wrong, not the colon. */
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

/** A quote, { or [ that nothing closes: told where it opens, not where the text ends. */
function unclosed({ code, message, opener }: Fault, text: string): { at: number; message: string } | null {
  const isOpen =
    message.includes('end with a') || (code === 'MISSING_CHAR' && !message.includes('Implicit map keys'))
  return opener !== null && isOpen ? { at: opener, message: `this ${text[opener]} is never closed` } : null
}

function plainSentence({ code, message }: Fault): string {
  if (code === 'MISSING_CHAR' && message.includes('Implicit map keys'))
    return 'expected "key: value"; is a colon missing, or the blank after it?'
  return `this is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

/** An IPv6 address in brackets without quotes on the line of `offset`: the mistake that everybody makes once. */
function bracketsWithoutQuotes(text: string, offset: number): { start: number; value: string } | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  const [, before = '', value = ''] = BRACKETS.exec(line) ?? []
  return value !== '' && !value.endsWith(']') ? { start: lineStart + before.length, value } : null
}

/** `- [2001:db8::1]:80 gate 10`, up to a comment. */
const BRACKETS =
  /^(.*?(?:: |- )\s*)(\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.]+)?\][^\s#,]*(?: +[a-z]+(?: +\d+)?)?)/
