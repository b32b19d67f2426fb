/**
 * Passwords that stand elsewhere: `passwd: { file: PATH }` and `passwd: { env: NAME }` in place of the text. Passwords
 * that stand in the file itself are not shown with it.
 */
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Position, Problem } from './problem.js'
import type { RawDocument, RawMap, RawNode } from './raw.js'

/** The options of checks that hold one. */
const SECRETS: ReadonlySet<string> = new Set(['passwd', 'secret'])

/** Whether an option or a directive of this name holds a password. */
export function isSecret(name: string): boolean {
  return SECRETS.has(name)
}

export interface SecretSource {
  /** The configuration; paths are relative to its folder. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The tree with every such password in its place. What cannot be read is a problem, and the place stays empty. */
export async function withSecrets(document: RawDocument, source: SecretSource): Promise<RawDocument> {
  if (!document.root) return document
  const problems: Problem[] = []
  const found = new Map<RawNode, string | null>()
  for (const { at, node } of placesOf(document.root)) {
    try {
      found.set(node, await read(node, source))
    } catch (error) {
      const { message } = error as Error
      found.set(node, null)
      problems.push({ severity: 'error', code: 'SECRET_MISSING', message, file: source.file, at })
    }
  }
  if (found.size === 0) return document
  const root = filled(document.root, found) as RawMap
  return { root, problems: [...document.problems, ...problems] }
}

interface Place {
  readonly at: Position
  readonly node: RawMap
}

/** The mappings that stand where a password is wanted. A tree with aliases has some of its parts twice. */
function placesOf(node: RawNode): readonly Place[] {
  if (node.kind === 'scalar') return []
  if (node.kind === 'list') return node.items.flatMap(placesOf)
  return node.entries.flatMap(({ key, keyAt, value }) =>
    isSecret(key) && value.kind === 'map' ? [{ at: keyAt, node: value }] : placesOf(value),
  )
}

function filled(node: RawNode, found: ReadonlyMap<RawNode, string | null>): RawNode {
  const secret = found.get(node)
  // Empty rather than missing, so that nothing else is told of it.
  if (secret !== undefined) return { kind: 'scalar', value: secret ?? '', at: node.at }
  if (node.kind === 'scalar') return node
  if (node.kind === 'list') return { ...node, items: node.items.map(item => filled(item, found)) }
  return { ...node, entries: node.entries.map(entry => ({ ...entry, value: filled(entry.value, found) })) }
}

/** A file of more is no password. */
const MAX_BYTES = 64 * 1024

async function read({ entries }: RawMap, { file, env }: SecretSource): Promise<string> {
  const [entry] = entries
  const value = entry?.value.kind === 'scalar' ? entry.value.value : null
  const isKnown = entry?.key === 'file' || entry?.key === 'env'
  if (entries.length !== 1 || !isKnown || typeof value !== 'string' || value === '')
    throw new Error('expected the password, { file: PATH } or { env: NAME }')
  const text = entry.key === 'env' ? fromVariable(value, env) : await fromFile(resolve(dirname(file), value))
  if (text === '')
    throw new Error(
      `the ${entry.key === 'env' ? 'variable' : 'file'} ${value} is empty: a password is expected`,
    )
  return text
}

function fromVariable(name: string, env: SecretSource['env']): string {
  const value = env[name]
  if (value === undefined) throw new Error(`there is no variable ${name} in the environment of lvsd`)
  return value
}

/** The line break at the end, which editors put there, is no part of it. */
async function fromFile(path: string): Promise<string> {
  try {
    const found = await stat(path)
    if (!found.isFile() || found.size > MAX_BYTES) throw new Error('it is no file of one line')
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(`the password cannot be read from ${path}: ${WHY[code ?? ''] ?? message}`)
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read the file',
}

/** A line of a configuration, with a star for each character of a password. Places stay the same. */
export function withoutSecrets(line: string): string {
  return masked(line, false)
}

function masked(line: string, isInline: boolean): string {
  const found = SECRET.exec(line)
  if (!found) return line
  const [all, head = '', value = ''] = found
  const before = line.slice(0, found.index)
  // In a mapping of one line a value without quotes ends at a comma or a brace.
  const inline = isInline || before.includes('{')
  const shown = inline && !/^["'{]/.test(value) ? value.replace(/[,}].*$/u, '') : value
  const rest = line.slice(found.index + all.length - value.length + shown.length)
  const stars = ELSEWHERE.test(shown) ? shown : shown.replace(/[^\s"',{}]/gu, '*')
  return before + head + stars + masked(rest, inline)
}

const ELSEWHERE = /^\{\s*["']?(file|env)\b/

/** A name that sounds like a password, misspelt ones too, and its value: in quotes, a mapping, or the rest of the line. */
const SECRET =
  /((?:^|[^\w-])["']?[\w-]*(?:pas+w|passphrase|secret)[\w-]*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|\{[^}]*\}|.+)/iu
