/** What may stand behind the = of each directive: ldirectord-values.txt, read. */
import { readFileSync } from 'node:fs'

/** Values that ldirectord takes, and such as few expect or as it refuses. */
export type Values = readonly [good: readonly string[], odd: readonly string[]]

/** Where a directive stands, or `part` for the parts of virtuals and real servers. */
export type Scope = 'global' | 'virtual' | 'part'

const BLOCKS = readFileSync(new URL('ldirectord-values.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n\n')
  .map(block => block.split('\n') as [head: string, good: string, odd: string])

/** The values by their directives; those of `both` belong to the global part and to virtuals. */
export function valuesOf(scope: Scope): ReadonlyMap<string, Values> {
  const entries = BLOCKS.flatMap(([head, good, odd]) => {
    const [where, ...names] = head.split(' ')
    const isHere = where === scope || (where === 'both' && scope !== 'part')
    return isHere ? names.map(name => [name, [listOf(good), listOf(odd)]] as const) : []
  })
  return new Map(entries)
}

/** A broken bar stands between two values. */
function listOf(line: string): string[] {
  return line
    .split('¦')
    .map(value => value.replace(/\\(u00a0|.)/g, (_, code: string) => ESCAPES[code] ?? code))
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', u00a0: '\u00a0' }
