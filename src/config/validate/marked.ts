/** What the marks of an option say of its value: secrets come from where they stand, paths become whole. */
import { markOf, type z } from '../../check/option-types.js'
import { commandFrom, pathFrom } from '../paths.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry, RawNode } from '../raw.js'
import type { Context } from './context.js'

/** The entry as its option is to be read. */
export function markedEntry(entry: RawEntry, type: z.ZodType | undefined, context: Context): RawEntry {
  const { secret, path } = markOf(type)
  if (secret) return { ...entry, value: withSecrets(entry.value, secret, entry.keyAt, context) }
  return path ? { ...entry, value: wholePath(entry.value, path, context) } : entry
}

type Secret = NonNullable<ReturnType<typeof markOf>['secret']>

function withSecrets(node: RawNode, secret: Secret, at: Position, context: Context): RawNode {
  const text = (value: RawNode, place: Position): RawNode =>
    value.kind === 'map' ? { kind: 'scalar', value: context.secrets.read(value, place), at: value.at } : value
  if (secret === 'text') return text(node, at)
  if (secret === 'list' && node.kind === 'list')
    return { ...node, items: node.items.map(item => text(item, item.at)) }
  if (secret === 'map' && node.kind === 'map')
    return { ...node, entries: node.entries.map(one => ({ ...one, value: text(one.value, one.keyAt) })) }
  return node
}

/** A path of the nearest layer that has one, whole. */
export function pathOf<K extends string>(
  key: K,
  layers: readonly { readonly values: { readonly [P in K]?: unknown }; valueAt(key: K): Position }[],
  { folderAt }: Pick<Context, 'folderAt'>,
): string | null {
  for (const layer of layers) {
    const path = layer.values[key]
    if (typeof path !== 'string') continue
    const folder = folderAt(layer.valueAt(key))
    return folder === null || path === '' ? path : pathFrom(folder, path)
  }
  return null
}

/** As written where paths are not relative to the file, as in an ldirectord.cf. */
function wholePath(
  node: RawNode,
  sort: 'file' | 'command',
  { folderAt }: Pick<Context, 'folderAt'>,
): RawNode {
  const folder = folderAt(node.at)
  if (folder === null || node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '')
    return node
  return { ...node, value: (sort === 'file' ? pathFrom : commandFrom)(folder, node.value) }
}
