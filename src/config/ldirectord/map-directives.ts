/** Converts the directives of a part to keys of lvsd's configuration, in the order of the table's rows. */
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

/**
 * Returns ldirectord's default of a directive. It is set in the global part, or in each virtual if only virtuals can
 * have the directive.
 */
function defaultOf(
  { scope, default: value }: DirectiveRow<unknown>,
  part: Part,
): Located<unknown> | undefined {
  const isHere = scope === 'both' ? part.scope === 'global' : true
  return value !== undefined && isHere ? { value, at: part.at } : undefined
}

/** Mappings that do not begin at a line of the file. */
const BEGUN = new Set(['settings', 'defaults', 'defaults.check'])

/** Returns the entries of `settings`, if the file sets any, and of `defaults`, which all services share. */
export function globalEntries(part: GlobalPart): readonly Entry[] {
  const own = leavesOf(part)
  const fall = own.find(({ path }) => path === 'check.fall')
  // ldirectord takes a server back after one success.
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
