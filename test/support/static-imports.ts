/** The graph of static imports, read from the sources: all modules that are loaded together with a module. */
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** A package, and the chain of modules from the first one to the importing one. */
export interface Reached {
  readonly name: string
  readonly way: readonly string[]
}

/** Matches `import … from`, `export … from` and `import '…'`. Type-only imports are removed by the compiler. */
const STATEMENT = /^(?:import|export)\s+(?:(type\s)?[^'";]*?\sfrom\s+)?'([^']+)'/gm

/** Returns all packages that are loaded with this source file, the nearest first. */
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
