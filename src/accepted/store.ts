/**
 * Stores the last accepted configuration in the state folder. A start uses it if the file is broken, or if something
 * that the file refers to cannot be read; and in place of reading the file, if its text is the same and nothing else counts.
 *
 * The stored file has the text and the resulting configuration, so that passwords in other files and variables,
 * certificates and users' checks need not be read again. Because it contains passwords, its mode is 600. It is written
 * under another name, synced to disk and renamed.
 */
import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Problem } from '../config/problems/problem.js'
import type { Hiding } from '../config/secrets.js'
import type { Config } from '../core/model.js'
import { writeDurably } from '../storage/durable-file.js'
import { readOwnText, readText, setAside } from '../storage/state-text.js'
import { runSliced } from '../util/time-slice.js'
import { type PackedConfig, packedJson, unpacked } from './packed-config.js'

export interface Accepted {
  /** Absolute path of the configuration file. */
  readonly file: string
  /** ISO 8601. */
  readonly at: string
  readonly text: string
  /** The configuration that this build of lvsd made from the text; null if another build wrote the file. */
  readonly config: Config | null
  /** Null if `config` is, or if more than the text counts. */
  readonly fromText: FromText | null
}

/** What reading a text gives beside its configuration, where all of it follows from that text and these values alone. */
export interface FromText extends Pick<Hiding, 'hidden'> {
  /** Paths that the command line gave in place of the configuration's. */
  readonly socket: string | null
  readonly state: string | null
  /** Name of the machine, if the format takes values from it. */
  readonly hostname: string | null
  /** Names of the kinds that were loaded. */
  readonly kinds: readonly string[]
  readonly problems: readonly Problem[]
  /** As in `Reuse`. */
  readonly values: number
}

interface Stored {
  readonly form: 1
  readonly file: string
  readonly at: string
  readonly text: string
  /** The build that made what follows, which is absent if JSON does not preserve it. */
  readonly build: string
  /** CRC-32 of all after it. */
  readonly sum?: number
  readonly fromText?: FromText | null
  readonly packed?: PackedConfig
}

export interface Reading {
  readonly build: string
  readonly tell: (problem: string) => void
  readonly isOwn?: boolean
}

/** The name of the first value that the sum counts. It stands nowhere before: in the text its quotation marks are escaped. */
const SUMMED = ',"fromText":'

/**
 * Returns null if no usable configuration is stored. `tell` receives every error except "no such file". `isOwn`: what another user
 * may have written is not usable.
 */
export async function readAccepted(
  path: string,
  { file, build, tell, isOwn = false }: Pick<Accepted, 'file'> & Reading,
): Promise<Accepted | null> {
  try {
    const written = await (isOwn ? readOwnText : readText)(path)
    if (written === null) return null
    const stored = JSON.parse(written) as Stored
    if (stored.form !== 1 || stored.file !== resolve(file) || typeof stored.text !== 'string')
      throw new Error('it is not in the format of lvsd')
    const { at, text, packed, fromText = null } = stored
    const isUsable = stored.build === build && stored.sum === sumOf(written)
    const made = isUsable && packed ? madeFor(file, packed, fromText) : { config: null, fromText: null }
    return { file: stored.file, at, text, ...made }
  } catch (error) {
    tell(`the last accepted configuration ${path} cannot be used: ${(error as Error).message}`)
    return null
  }
}

/** Names the file as this start does: the last one may have had a relative path from another folder. */
function madeFor(
  file: string,
  packed: PackedConfig,
  fromText: FromText | null,
): Pick<Accepted, 'config' | 'fromText'> {
  const problems = fromText?.problems.map(problem => ({ ...problem, file })) ?? []
  return {
    config: Object.freeze({ ...unpacked(packed), file }),
    fromText: fromText && { ...fromText, problems },
  }
}

/** Writes the configuration, unless the same one is stored already. Throws file system errors. */
export async function writeAccepted(
  path: string,
  { file, at, text, config, fromText, build }: Accepted & { readonly build: string },
): Promise<void> {
  const [head, rest] = [JSON.stringify({ form: 1, file: resolve(file) }), JSON.stringify({ text, build })]
  // A configuration that JSON does not preserve is not stored; the next start makes it from the text.
  const packed = config && (await runSliced(packedJson(config)))
  const before = `${head.slice(0, -1)},"at":`
  const made = packed ? `${SUMMED}${JSON.stringify(fromText)},"packed":${packed}}\n` : '}\n'
  const after = `,${rest.slice(1, -1)}${packed ? `,"sum":${crc32(made)}` : ''}${made}`
  if (await isKept(path, before, after)) return
  // A file would not replace a folder.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) setAside(path, 'damaged')
  await writeDurably(path, `${before}${JSON.stringify(at)}${after}`)
}

function sumOf(written: string): number | null {
  const at = written.indexOf(SUMMED)
  return at < 0 ? null : crc32(written.slice(at))
}

/** True if the file is the same but for the time, and only lvsd can write to it. */
async function isKept(path: string, before: string, after: string): Promise<boolean> {
  const found = await readOwnText(path).catch(() => null)
  const isAlike = found?.startsWith(before) === true && found.endsWith(after)
  return isAlike && /^"[^"]*"$/.test(found.slice(before.length, -after.length))
}
