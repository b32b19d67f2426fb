/** Which modules are loaded with a module at once: the graph of its static imports, read from the sources. */
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** A package and the way to it, from the first module to the one that imports it. */
export interface Reached {
  readonly name: string
  readonly way: readonly string[]
}

/** `import … from`, `export … from` and `import '…'`; those of types alone are gone once compiled. */
const STATEMENT = /^(?:import|export)\s+(?:(type\s)?[^'";]*?\sfrom\s+)?'([^']+)'/gm

/** All packages that are loaded with this file of the sources, the nearest first. */
export function packagesWith(file: string): readonly Reached[] {
  const found = new Map<string, Reached>()
  const ways = new Map([[join(packageRoot, file), [file]]])
  for (const [module, way] of ways)
    for (const wanted of importsOf(module)) {
      const name = wanted.startsWith('.') ? null : packageOf(wanted)
      if (name !== null && !found.has(name)) found.set(name, { name, way })
      if (name !== null) continue
      const next = join(dirname(module), wanted.replace(/\.js$/, '.ts'))
      if (!existsSync(next)) throw new Error(`${module} imports ${wanted}, which is not there`)
      if (!ways.has(next)) ways.set(next, [...way, relative(packageRoot, next)])
    }
  return [...found.values()].filter(({ name }) => !builtinModules.includes(name) && !name.startsWith('node:'))
}

function importsOf(module: string): string[] {
  const source = readFileSync(module, 'utf8')
  return [...source.matchAll(STATEMENT)].filter(([, type]) => !type).map(([, , wanted = '']) => wanted)
}

function packageOf(wanted: string): string {
  return wanted.split('/', wanted.startsWith('@') ? 2 : 1).join('/')
}
