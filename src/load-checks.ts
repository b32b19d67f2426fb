/** Finds the checks: ours, then those in the user's folders. Each file is verified before it is believed. */
import { readdir } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Check, Origin } from './check.js'
import { z } from './config/fields.js'
import { optionKit } from './options.js'
import { trustedPath } from './trusted-path.js'

export interface LoadedChecks {
  /** By name and by alias. */
  readonly checks: ReadonlyMap<string, Check>
  /** What was left out and why, a sentence each. */
  readonly problems: readonly string[]
}

/** Beside src in the sources and beside dist/src once compiled. */
const OURS = fileURLToPath(new URL('../checks/', import.meta.url))
const LOADABLE = new Set(['.js', '.mjs', '.ts'])

/** Loads our checks and those of the user's folders. A file that is wrong is left out with a problem, never half loaded. */
export async function loadChecks(folders: readonly string[] = []): Promise<LoadedChecks> {
  const checks = new Map<string, Check>()
  const origins = new Map<string, string>()
  const problems: string[] = []
  const load = async (file: string, origin: Origin) => {
    try {
      const check = { ...(await importCheck(file)), module: pathToFileURL(file).href, origin }
      register(check, file, checks, origins)
    } catch (error) {
      problems.push(error instanceof Refusal ? error.message : `${file}: ${(error as Error).message}`)
    }
  }
  for (const file of await checkFiles(OURS)) await load(file, 'shipped')
  for (const folder of folders) {
    for (const file of await trustedFiles(resolve(folder), problems)) await load(file, 'user')
  }
  return { checks, problems }
}

class Refusal extends Error {}

async function checkFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder)
  return entries
    .filter(name => LOADABLE.has(extname(name)) && !name.startsWith('_') && !name.endsWith('.d.ts'))
    .sort()
    .map(name => join(folder, name))
}

/** A helper (`_name`) is loaded by whoever imports it, so it must be as trustworthy as the checks themselves. */
async function trustedFiles(folder: string, problems: string[]): Promise<string[]> {
  try {
    const real = trustedPath(folder)
    for (const name of await readdir(real)) if (LOADABLE.has(extname(name))) trustedPath(join(real, name))
    return await checkFiles(real)
  } catch (error) {
    problems.push(`no check of ${folder} is loaded: ${folderError(error)}`)
    return []
  }
}

function folderError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such folder'
  return code === 'ENOTDIR' ? 'it is not a folder' : message
}

async function importCheck(file: string): Promise<Check> {
  let module: { readonly check?: unknown }
  try {
    module = (await import(pathToFileURL(file).href)) as { readonly check?: unknown }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw new Refusal(`${file} does not load: ${message}`)
    throw new Refusal(`${file}: Node ${process.versions.node} does not run TypeScript: compile it to .js`)
  }
  const wrong = whatIsWrong(module.check, basename(file, extname(file)))
  if (wrong !== null) throw new Refusal(`${file}: ${wrong}`)
  return module.check as Check
}

const SHAPE = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'lower-case letters, digits, - and _'),
  aliases: z.array(z.string().min(1)).optional(),
  summary: z.string().min(1),
  defaultPort: z.int().min(0).max(65535).optional(),
  perService: z.boolean().optional(),
  options: z.custom<unknown>(isFunction, 'a function'),
  missing: z.custom<unknown>(isFunction, 'a function').optional(),
  validate: z.custom<unknown>(isFunction, 'a function').optional(),
  probe: z.custom<unknown>(isFunction, 'a function').optional(),
  run: z.custom<unknown>(isFunction, 'a function').optional(),
})

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** One sentence, or null where the export is a check. */
function whatIsWrong(value: unknown, fileName: string): string | null {
  if (typeof value !== 'object' || value === null) return 'it must export an object named `check`'
  const parsed = SHAPE.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'not a check' }
    return `\`check.${path.join('.')}\` is not as a check needs it: ${message}`
  }
  const check = value as Check
  if (check.name !== fileName) return `it holds the check "${check.name}" and must be named after it`
  if (!check.probe && !check.run) return 'a check needs `run` or `probe`'
  return wrongOptions(check)
}

function wrongOptions(check: Check): string | null {
  try {
    const shape: unknown = check.options(optionKit)
    const isShape =
      typeof shape === 'object' &&
      shape !== null &&
      Object.values(shape).every(type => type instanceof z.ZodType)
    return isShape ? null : '`options` must return an object whose values are made with the kit it is given'
  } catch (error) {
    return `\`options\` fails: ${(error as Error).message}`
  }
}

/** Nobody's check silently takes the place of another. */
function register(
  check: Check,
  file: string,
  checks: Map<string, Check>,
  origins: Map<string, string>,
): void {
  const names = [check.name, ...(check.aliases ?? [])]
  for (const name of names) {
    const other = origins.get(name)
    if (other !== undefined)
      throw new Refusal(`${file}: the name "${name}" is taken by ${other}; give this check another one`)
  }
  for (const name of names) {
    checks.set(name, check)
    origins.set(name, file)
  }
}
