/**
 * The last accepted configuration, kept in the state folder: what a start runs where the file has been broken since, or
 * where something that it names cannot be read.
 *
 * It holds the text, and the configuration that came of it, so that neither passwords in other files and variables nor
 * certificates nor checks of one's own have to be read again to run it. So it holds passwords: its mode is 600. It is
 * written beside and renamed, and both are on the disk before the old one is gone.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../core/model.js'

export interface Accepted {
  /** Absolute path of the configuration file. */
  readonly file: string
  /** ISO 8601. */
  readonly at: string
  readonly text: string
  /** What came of it, by this very build of lvsd; null where another one wrote it. */
  readonly config: Config | null
}

interface Stored {
  readonly form: 1
  readonly file: string
  readonly at: string
  readonly text: string
  /** The build that made `config`. */
  readonly build: string
  readonly config?: Config
}

/** `STATE/accepted-lvsd.yaml-1f40fc92da24.json`: one for each configuration file. */
export function acceptedPath(state: string, file: string): string {
  const hash = createHash('sha256').update(resolve(file)).digest('hex').slice(0, 12)
  return join(
    state,
    `accepted-${basename(file)
      .replaceAll(/[^\w.-]/g, '_')
      .slice(-40)}-${hash}.json`,
  )
}

/** Null where nothing is kept, or nothing that can be used. Anything else than "no such file" is given to `tell`. */
export async function readAccepted(
  path: string,
  { file, build, tell }: { file: string; build: string; tell: (problem: string) => void },
): Promise<Accepted | null> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as Stored
    if (stored.form !== 1 || stored.file !== resolve(file) || typeof stored.text !== 'string')
      throw new Error('it is not in the format of lvsd')
    const { at, text, config } = stored
    return { file: stored.file, at, text, config: (stored.build === build && config) || null }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      tell(`the last accepted configuration ${path} cannot be used: ${(error as Error).message}`)
    return null
  }
}

/** Writes it, unless the same is there already. Throws what the file system throws. */
export async function writeAccepted(
  path: string,
  { file, at, text, config, build }: Accepted & { readonly build: string },
): Promise<void> {
  const plain = config && (JSON.parse(JSON.stringify(config)) as Config)
  const stored: Stored = {
    form: 1,
    file: resolve(file),
    at,
    text,
    build,
    // What does not come back as it was is made of the text again.
    ...(isDeepStrictEqual(plain, config) && plain && { config: plain }),
  }
  if (await isKept(path, stored)) return
  await writeDurably(path, `${JSON.stringify(stored)}\n`)
}

async function isKept(path: string, stored: Stored): Promise<boolean> {
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as Stored
    return isDeepStrictEqual({ ...found, at: '' }, { ...stored, at: '' })
  } catch {
    return false
  }
}

/** After a crash at any moment there is the old content or the new one, whole. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const written = await open(`${path}.new`, 'w', 0o600)
  try {
    // One that an earlier umask or hand has left open to others.
    await written.chmod(0o600)
    await written.writeFile(content)
    await written.sync()
  } finally {
    await written.close()
  }
  await rename(`${path}.new`, path)
  const opened = await open(folder, 'r')
  await opened.sync().finally(() => opened.close())
}
