/** Finds the kinds of check: those of lvsd, then those in the user's folders. User code never runs in this thread. */
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Check } from '../check/check.js'
import { type KindPath, kindFiles, kindNameOf, trustedKindFiles, versionOf } from './folder.js'
import { importKind } from './import-kind.js'
import type { LoadedKind } from './load-kinds.js'
import { type Candidate, merged } from './merge.js'

export interface LoadedChecks {
  /** Kinds by name and by alias. */
  readonly checks: ReadonlyMap<string, Check>
  /** Folders and files that are left out, each with the reason, as sentences. */
  readonly problems: readonly string[]
  /** Names that user kinds take from other kinds, as sentences. */
  readonly replaced: readonly string[]
  /** Folders of which no file is loaded. */
  readonly unusable: readonly { readonly folder: string; readonly problem: string }[]
  /** The files of the user's folders, in order. */
  readonly files: readonly KindFile[]
}

/** The outcome for one file of a user's folder. */
export interface KindFile {
  readonly folder: string
  readonly path: string
  /** Name of its kind, or null if the file is not loaded. */
  readonly kind: string | null
  /** Why the file is not loaded, without its name; null if it is loaded. */
  readonly problem: string | null
  /** A hint for the author of a loaded file, or null. */
  readonly remark: string | null
}

/** Beside src in the sources, and beside dist/src in a build. */
const OURS = fileURLToPath(new URL('../../checks/', import.meta.url))

/**
 * Loads lvsd's kinds and those of the user's folders. An invalid file is left out completely and reported as a problem.
 * With `words`, only those kinds of lvsd whose name is one of them: the import of all takes longer than most
 * configurations. A kind that is mentioned by an alias alone is not among them. Kinds of users may take names of lvsd's
 * kinds, so with folders all are loaded.
 */
export async function loadChecks(
  folders: readonly string[] = [],
  words: ReadonlySet<string> | null = null,
): Promise<LoadedChecks> {
  const isWanted = (file: string) => folders.length > 0 || !words || words.has(kindNameOf(file))
  const files = (await kindFiles(OURS)).filter(isWanted)
  const shipped = await Promise.all(files.map(name => importShipped(join(OURS, name))))
  return loadedWith(shipped, folders)
}

/** Like `loadChecks`, for a configuration that uses kinds of these names: all of them are loaded, if they exist. */
export async function loadNamedChecks(
  folders: readonly string[],
  names: ReadonlySet<string>,
): Promise<LoadedChecks> {
  const loaded = await loadChecks(folders, names)
  return [...names].every(name => loaded.checks.has(name)) ? loaded : loadChecks(folders)
}

async function loadedWith(shipped: readonly Check[], folders: readonly string[]): Promise<LoadedChecks> {
  const found = await Promise.all(folders.map(folder => filesOf(resolve(folder))))
  const loaded = await loadedFrom(found.flatMap(({ files }) => files))
  const { checks, replaced } = merged(shipped, await candidatesOf(loaded))
  const paths = found.flatMap(({ folder, files }) => files.map(({ path }) => ({ folder, path })))
  const files = paths.map((place, i) => ({ ...place, ...outcomeOf(loaded[i] as LoadedKind) }))
  const unusable = found.flatMap(({ folder, problem }) => (problem === null ? [] : [{ folder, problem }]))
  const left = files.flatMap(({ path, problem }) => (problem === null ? [] : [`${path}: ${problem}`]))
  return { checks, problems: [...unusable.map(({ problem }) => problem), ...left], replaced, unusable, files }
}

/** Most sites have no kinds of their own, and need nothing of what starts processes for these. */
async function loadedFrom(files: readonly KindPath[]): Promise<readonly LoadedKind[]> {
  return files.length === 0 ? [] : (await import('./load-kinds.js')).loadKinds(files)
}

const imported = new Map<string, Check>()

/**
 * Imports a kind of lvsd. Rejects if it does not load, which is an error in lvsd. Returns the same object each time, so
 * that jobs continue after a reload.
 */
async function importShipped(file: string): Promise<Check> {
  const known = imported.get(file)
  if (known) return known
  const module = pathToFileURL(file).href
  const { check } = await importKind(module)
  const shipped: Check = { ...check, module, origin: 'shipped' }
  imported.set(file, shipped)
  return shipped
}

function outcomeOf({ check, problem, remark }: LoadedKind): Omit<KindFile, 'folder' | 'path'> {
  return { kind: check?.name ?? null, problem, remark }
}

/** A changed file is a different module, so only then its jobs restart with the new code. */
function candidatesOf(loaded: readonly LoadedKind[]): Promise<readonly Candidate[]> {
  const kinds = loaded.flatMap(({ file, check }) => (check ? [{ file, check }] : []))
  return Promise.all(
    kinds.map(async ({ file, check }) => {
      const version = await versionOf(file.real)
      return { file: file.path, check: { ...check, version, module: `${check.module}?version=${version}` } }
    }),
  )
}

interface Found {
  readonly folder: string
  readonly files: readonly KindPath[]
  /** Why no file of the folder is loaded, or null. */
  readonly problem: string | null
}

async function filesOf(folder: string): Promise<Found> {
  try {
    return { folder, files: await trustedKindFiles(folder), problem: null }
  } catch (error) {
    return { folder, files: [], problem: `no check of ${folder} is loaded: ${whyUnusable(error)}` }
  }
}

function whyUnusable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such folder'
  return code === 'ENOTDIR' ? 'it is not a folder' : message
}
