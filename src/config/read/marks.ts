/**
 * Applies the marks of a type to its value: reads secrets from their sources, makes paths absolute, warns about
 * doubtful values.
 */
import { markOf, type z } from '../../check/option-types.js'
import { whyUnavailable } from '../../system/shell-command.js'
import { commandFrom, pathFrom } from '../paths.js'
import type { Position } from '../problems/problem.js'
import { type RawEntry, type RawMap, type RawNode, textOf } from '../raw.js'
import { reportBareNumber } from './bare-numbers.js'
import type { ReadContext } from './read-context.js'

/** Returns the entry in the form that its type parses: secrets read, paths absolute. */
export function markedEntry(entry: RawEntry, type: z.ZodType, context: ReadContext): RawEntry {
  const { secret, path } = markOf(type)
  if (secret) return { ...entry, value: withSecrets(entry.value, secret, entry.keyAt, context) }
  return path ? { ...entry, value: wholePath(entry.value, path, context) } : entry
}

type Secret = NonNullable<ReturnType<typeof markOf>['secret']>

function withSecrets(node: RawNode, secret: Secret, at: Position, context: ReadContext): RawNode {
  const text = (value: RawNode, place: Position): RawNode =>
    value.kind === 'map' && (secret === 'text' || isSource(value))
      ? { kind: 'scalar', value: readSecret(value, place, context), at: value.at }
      : value
  if (secret === 'text') return text(node, at)
  if (secret === 'list' && node.kind === 'list')
    return { ...node, items: node.items.map(item => text(item, item.at)) }
  if (secret === 'map' && node.kind === 'map')
    return { ...node, entries: node.entries.map(one => ({ ...one, value: text(one.value, one.keyAt) })) }
  return node
}

/** A colon makes a mapping of a text, too: most texts of such lists and mappings are no passwords. */
function isSource({ entries }: RawMap): boolean {
  return entries.some(({ key }) => key === 'file' || key === 'env')
}

function readSecret(node: RawMap, at: Position, { secrets, looksAtFiles }: ReadContext): string {
  looksAtFiles?.()
  return secrets.read(node, at)
}

/** Makes paths absolute. They stay as written if relative paths do not depend on the file, as in an ldirectord.cf. */
function wholePath(node: RawNode, sort: 'file' | 'command', context: ReadContext): RawNode {
  if (node.kind === 'list') return { ...node, items: node.items.map(item => wholePath(item, sort, context)) }
  const folder = context.folderAt(node.at)
  const path = textOf(node)
  if (folder === null || path === null || path === '') return node
  return { kind: 'scalar', value: (sort === 'file' ? pathFrom : commandFrom)(folder, path), at: node.at }
}

/** Warns about a value that is valid but possibly not intended. */
export function reportDoubts(entry: RawEntry, type: z.ZodType, context: ReadContext): void {
  const { shell, isInterval } = markOf(type)
  if (shell) reportCommand(entry, context)
  if (isInterval) reportBareNumber(entry, context.report)
}

/** Warns about a command that cannot be run now, as far as this can be determined. */
function reportCommand({ key, value }: RawEntry, { report, looksAtFiles }: ReadContext): void {
  looksAtFiles?.()
  const command = textOf(value)
  const why = command === null ? null : whyUnavailable(command)
  if (why !== null) report.warn('COMMAND_UNAVAILABLE', value.at, `${key}: ${why}`)
}
