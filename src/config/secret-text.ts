/** Finds and covers the secrets in one line of a configuration, whether or not its syntax is valid. */

/** True if a word is the name of an option that holds secrets, or probably a misspelling of one. Anchors begin with &. */
export type IsSecretName = (name: string) => boolean

/** The value behind the name of a secret. */
export interface SecretValue {
  /** Offset of the value in the line. */
  readonly start: number
  readonly text: string
  /** The name is followed by `=`, as in an ldirectord.cf, where no value continues in the next line. */
  readonly isAssigned: boolean
  /** The value stands in a mapping on one line. */
  readonly isInline: boolean
  /** The value is complete: in closed quotes or brackets. */
  readonly isClosed: boolean
}

/** Returns the line with stars in place of each value after the name of a secret. Columns do not change. */
export function withoutSecrets(line: string, isSecret: IsSecretName): string {
  let shown = ''
  let end = 0
  for (const { start, text } of secretsIn(line, isSecret)) {
    shown += line.slice(end, start) + (ELSEWHERE.test(text) ? text : stars(text))
    end = start + text.length
  }
  return shown + line.slice(end)
}

export function stars(text: string): string {
  return text.replace(/[^\s"',{}[\]]/gu, '*')
}

/** Returns the values of all secrets in the line, in their order. */
export function secretsIn(line: string, isSecret: IsSecretName): readonly SecretValue[] {
  const values: SecretValue[] = []
  let from = 0
  let isInline = false
  for (let found = nameIn(line, isSecret); found; found = nameIn(line.slice(from), isSecret)) {
    const start = from + found.end
    isInline ||= line.slice(from, start).includes('{')
    const value = valueAt(line.slice(start), isInline)
    values.push({ start, isInline, isAssigned: found.isAssigned, ...value })
    from = start + value.text.length
  }
  return values
}

const ELSEWHERE = /^\{\s*["']?(file|env)["']?\s*:\s*["']?[^\s"'[{]/
/** The second alternative matches the first word of a line whose `:` or `=` is missing. The third matches an anchor. */
const NAME =
  /(?:^|(?<=[^\w-]))["']?([\w-]+)["']?\s*[:=]\s*|^[\s-]*(\w[\w-]*)\s+(?=[^\s:=])|(?<=\s)(&[\w-]+)(?:\s+|$)/g

function nameIn(text: string, isSecret: IsSecretName) {
  for (const { 0: all, 1: name, 2: first, 3: anchor = '', index } of text.matchAll(NAME))
    if (isSecret(name ?? first ?? anchor))
      return { end: index + all.length, isAssigned: all.trimEnd().endsWith('=') }
  return null
}

/** Returns the value at the start of the text: quoted, a mapping or list on one line, or the rest of the line. */
function valueAt(text: string, isInline: boolean): Pick<SecretValue, 'text' | 'isClosed'> {
  const closed = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\{[^{}]*\}|\[[^[\]]*\](?=\s*(?:[,}]|$)))(?=[\s,}]|$)/.exec(
    text,
  )?.[0]
  // Text that follows a closing quote directly belongs to the value, as a mistake.
  if (closed !== undefined) return { text: closed, isClosed: true }
  // In a mapping on one line, an unquoted value ends at a comma or a brace.
  const plain = isInline && !/^["'{[]/.test(text) ? (/^[^,}]*/.exec(text)?.[0] ?? '') : text
  return { text: plain, isClosed: plain.length < text.length }
}
