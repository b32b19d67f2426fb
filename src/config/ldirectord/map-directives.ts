/** What the directives of a part become: its keys in lvsd's configuration, in the order of the table's rows. */
import { impliedOptions } from './check-options.js'
import type { DirectiveRow, Target } from './directive-row.js'
import { ROWS, VIRTUAL_LINE } from './directive-table.js'
import type { Located } from './text-span.js'
import { BEGINNING, type Entry, type Leaf, treeOf } from './tree.js'
import type { GlobalPart, Virtual } from './virtual.js'

type Part = GlobalPart | Virtual

function leavesOf(part: Part): Leaf[] {
  const done = new Set<Target>(VIRTUAL_LINE)
  const leaves = VIRTUAL_LINE.flatMap(target => target.leaves(undefined, part))
  for (const [name, row] of ROWS) {
    if (row.scope !== 'both' && row.scope !== part.scope) continue
    for (const target of row.becomes) {
      if (done.has(target)) continue
      done.add(target)
      leaves.push(...target.leaves(part.own[name] ?? defaultOf(row, part), part))
    }
  }
  return leaves
}

/** ldirectord's default stands in the file's first part, or in each virtual where a directive is for virtuals alone. */
function defaultOf(
  { scope, default: value }: DirectiveRow<unknown>,
  part: Part,
): Located<unknown> | undefined {
  const isHere = scope === 'both' ? part.scope === 'global' : true
  return value !== undefined && isHere ? { value, at: part.at } : undefined
}

/** The mappings that no line of the file begins. */
const BEGUN = new Set(['settings', 'defaults', 'defaults.check'])

/** `settings`, where the file has any of them, and `defaults`, what all services share. */
export function globalEntries(part: GlobalPart): readonly Entry[] {
  const own = leavesOf(part)
  const fall = own.find(({ path }) => path === 'check.fall')
  // One success is enough for ldirectord.
  const rise = { path: 'check.rise', value: 1, at: fall?.at ?? BEGINNING }
  const isSetting = ({ path }: Leaf) => path.startsWith('settings.')
  const settings = own.filter(isSetting)
  const others = [...own.filter(leaf => !isSetting(leaf)), rise]
  const defaults = others.map(leaf => ({ ...leaf, path: `defaults.${leaf.path}` }))
  return treeOf([...settings, ...defaults], BEGINNING, BEGUN).entries
}

export function serviceEntry(virtual: Virtual): Entry {
  const { name, own, head, at } = virtual
  const leaves = [...leavesOf(virtual), ...impliedOptions(virtual)]
  return { key: name, keyAt: own.servicename?.at ?? head.keyAt, value: treeOf(leaves, at) }
}
