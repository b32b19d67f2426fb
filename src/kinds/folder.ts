/** The files of a user's folder that are kinds of check, once nobody else can change them; and which version each is. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, parse } from 'node:path'
import { trustedPath } from '../system/trusted-path.js'

const JAVASCRIPT: ReadonlySet<string> = new Set(['.mjs', '.js', '.cjs'])
const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts'])

/** A file as its folder names it, and the one behind it, without links, that is loaded. */
export interface KindPath {
  readonly path: string
  readonly real: string
}

/** The names of the files of a folder that are kinds, sorted. */
export async function kindFiles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter(isCode).sort()
  return names.filter(name => isKind(name) && !isSource(name, names))
}

/** The kinds of a folder that is not lvsd's own. Throws a sentence where somebody else could change one of them. */
export async function trustedKindFiles(folder: string): Promise<readonly KindPath[]> {
  const reals = new Map<string, string>()
  await trustCode(folder, reals)
  const names = await kindFiles(folder)
  // A link to another folder: its file imports what stands beside it there.
  const beyond = new Set(names.map(name => dirname(reals.get(name) as string)))
  for (const other of beyond) if (other !== trustedPath(folder)) await trustCode(other, new Map())
  return names.map(name => ({ path: join(folder, name), real: reals.get(name) as string }))
}

/** A helper is loaded by whoever imports it: it must be as trustworthy as the kinds themselves. */
async function trustCode(folder: string, reals: Map<string, string>): Promise<void> {
  trustedPath(folder)
  for (const name of await readdir(folder)) if (isCode(name)) reals.set(name, trustedPath(join(folder, name)))
  await trustPackages(join(folder, 'node_modules'))
}

/** The packages themselves, and no file in them: whoever may change those may change the package. */
async function trustPackages(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return
  trustedPath(folder)
  for (const name of names) if (!name.startsWith('.')) trustedPath(join(folder, name))
}

function isCode(name: string): boolean {
  const extension = extname(name)
  return (JAVASCRIPT.has(extension) || TYPESCRIPT.has(extension)) && !/\.d\.[mc]?ts$/.test(name)
}

function isKind(name: string): boolean {
  return !name.startsWith('_')
}

/** TypeScript with what it is compiled to beside it. */
function isSource(name: string, names: readonly string[]): boolean {
  if (!TYPESCRIPT.has(extname(name))) return false
  const stem = parse(name).name
  return names.some(other => parse(other).name === stem && JAVASCRIPT.has(extname(other)))
}

/** Changes with the file itself and with the helpers beside it; packages and folders are not looked at. */
export async function versionOf(file: string): Promise<string> {
  const { dir, base } = parse(file)
  const entries = await readdir(dir, { withFileTypes: true })
  // A pipe is never read to its end, and a folder not at all.
  const files = entries.filter(entry => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name)
  const helpers = files.filter(name => isCode(name) && !isKind(name)).sort()
  const hash = createHash('sha256')
  for (const name of [base, ...helpers])
    hash
      .update(name)
      .update('\0')
      .update(await contentOf(join(dir, name)))
  return hash.digest('hex').slice(0, 16)
}

/** A helper may be a link to anything. */
async function contentOf(path: string): Promise<Buffer | string> {
  const { size } = await stat(path).then(
    found => (found.isFile() ? found : { size: 0 }),
    () => ({ size: 0 }),
  )
  return size > 0 ? readFile(path) : ''
}

/** The name that the check in a file must have. */
export function kindNameOf(path: string): string {
  return parse(path).name
}
