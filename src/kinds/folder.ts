/** Finds the kinds in a user's folder, verifies that no other user can change them, and computes their versions. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, parse } from 'node:path'
import { trustedPath } from '../system/trusted-path.js'

const JAVASCRIPT: ReadonlySet<string> = new Set(['.mjs', '.js', '.cjs'])
const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts'])

/** The path of a file in its folder, and its real path without links, which is loaded. */
export interface KindPath {
  readonly path: string
  readonly real: string
}

/** Returns the names of the files in a folder that define kinds, sorted. */
export async function kindFiles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter(isCode).sort()
  return names.filter(name => isKind(name) && !isSource(name, names))
}

/** Returns the kinds of a user's folder. Throws `UntrustedPath` if another user could change one of them. */
export async function trustedKindFiles(folder: string): Promise<readonly KindPath[]> {
  const reals = new Map<string, string>()
  await trustCode(folder, reals)
  const names = await kindFiles(folder)
  // If a file is a link into another folder, it imports the helpers of that folder.
  const beyond = new Set(names.map(name => dirname(reals.get(name) as string)))
  for (const other of beyond) if (other !== trustedPath(folder)) await trustCode(other, new Map())
  return names.map(name => ({ path: join(folder, name), real: reals.get(name) as string }))
}

/** Verifies all code in a folder, because kinds import helpers, which must be equally trusted. */
async function trustCode(folder: string, reals: Map<string, string>): Promise<void> {
  trustedPath(folder)
  for (const name of await readdir(folder)) if (isCode(name)) reals.set(name, trustedPath(join(folder, name)))
  await trustPackages(join(folder, 'node_modules'))
}

/** Verifies the package folders but no files in them: a user who can change those can change the package folder too. */
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

/** True for a TypeScript file whose compiled JavaScript is in the same folder. */
function isSource(name: string, names: readonly string[]): boolean {
  if (!TYPESCRIPT.has(extname(name))) return false
  const stem = parse(name).name
  return names.some(other => parse(other).name === stem && JAVASCRIPT.has(extname(other)))
}

/** Returns a hash of the file and the helpers in its folder. Packages and subfolders are ignored. */
export async function versionOf(file: string): Promise<string> {
  const { dir, base } = parse(file)
  const entries = await readdir(dir, { withFileTypes: true })
  // Folders cannot be read, and reading a pipe may never end.
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

/** Returns the content of a regular file; empty for anything else, because a helper may be a link to any file. */
async function contentOf(path: string): Promise<Buffer | string> {
  const { size } = await stat(path).then(
    found => (found.isFile() ? found : { size: 0 }),
    () => ({ size: 0 }),
  )
  return size > 0 ? readFile(path) : ''
}

/** Returns the name that the kind in a file must have. */
export function kindNameOf(path: string): string {
  return parse(path).name
}
