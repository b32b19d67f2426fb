/** Reads ldirectord-values.txt: possible values of each directive. */
import { readFileSync } from 'node:fs'

/** Values that ldirectord accepts, and values that are unusual or that it refuses. */
export type Values = readonly [good: readonly string[], odd: readonly string[]]

/** Place of a directive in the file, or `part` for the parts of virtuals and real servers. */
export type Scope = 'global' | 'virtual' | 'part'

const BLOCKS = readFileSync(new URL('ldirectord-values.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n\n')
  .map(block => block.split('\n') as [head: string, good: string, odd: string])

/** The values by directive. Directives of `both` occur in the global part and in virtuals. */
export function valuesOf(scope: Scope): ReadonlyMap<string, Values> {
  const entries = BLOCKS.flatMap(([head, good, odd]) => {
    const [where, ...names] = head.split(' ')
    const isHere = where === scope || (where === 'both' && scope !== 'part')
    return isHere ? names.map(name => [name, [listOf(good), listOf(odd)]] as const) : []
  })
  return new Map(entries)
}

/** A broken bar separates the values. */
function listOf(line: string): string[] {
  return line
    .split('¦')
    .map(value => value.replace(/\\(u00a0|.)/g, (_, code: string) => ESCAPES[code] ?? code))
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', u00a0: '\u00a0' }
