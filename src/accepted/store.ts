/**
 * Stores the last accepted configuration in the state folder. A start uses it if the file is broken, or if something
 * that the file refers to cannot be read.
 *
 * The stored file has the text and the resulting configuration, so that passwords in other files and variables,
 * certificates and users' checks need not be read again. Because it contains passwords, its mode is 600. It is written
 * under another name, synced to disk and renamed.
 */
import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Config, Service } from '../core/model.js'
import { writeDurably } from '../storage/durable-file.js'
import { readText, setAside } from '../storage/state-text.js'
import { survivesJson } from '../util/survives-json.js'
import { eachInSteps, runSliced, type Sliced } from '../util/time-slice.js'

export interface Accepted {
  /** Absolute path of the configuration file. */
  readonly file: string
  /** ISO 8601. */
  readonly at: string
  readonly text: string
  /** The configuration that this build of lvsd made from the text; null if another build wrote the file. */
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

/** Returns `STATE/accepted-lvsd.yaml-1f40fc92da24.json`; the hash of the full path makes it unique. */
export function acceptedPath(state: string, file: string): string {
  const hash = createHash('sha256').update(resolve(file)).digest('hex').slice(0, 12)
  return join(
    state,
    `accepted-${basename(file)
      .replaceAll(/[^\w.-]/g, '_')
      .slice(-40)}-${hash}.json`,
  )
}

/** Returns null if no usable configuration is stored. `tell` receives every error except "no such file". */
export async function readAccepted(
  path: string,
  { file, build, tell }: { file: string; build: string; tell: (problem: string) => void },
): Promise<Accepted | null> {
  try {
    const written = await readText(path)
    if (written === null) return null
    const stored = JSON.parse(written) as Stored
    if (stored.form !== 1 || stored.file !== resolve(file) || typeof stored.text !== 'string')
      throw new Error('it is not in the format of lvsd')
    const { at, text, config } = stored
    return { file: stored.file, at, text, config: (stored.build === build && config) || null }
  } catch (error) {
    tell(`the last accepted configuration ${path} cannot be used: ${(error as Error).message}`)
    return null
  }
}

/** Writes the configuration, unless the same one is stored already. Throws file system errors. */
export async function writeAccepted(
  path: string,
  { file, at, text, config, build }: Accepted & { readonly build: string },
): Promise<void> {
  const [head, rest] = [JSON.stringify({ form: 1, file: resolve(file) }), JSON.stringify({ text, build })]
  // A configuration that JSON does not preserve is not stored; the next start makes it from the text.
  const plain = config && (await runSliced(jsonOf(config)))
  const before = `${head.slice(0, -1)},"at":`
  const after = `,${rest.slice(1, -1)}${plain ? `,"config":${plain}` : ''}}\n`
  if (await isKept(path, before, after)) return
  // A file would not replace a folder.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) setAside(path, 'damaged')
  await writeDurably(path, `${before}${JSON.stringify(at)}${after}`)
}

/** Services that JSON preserves. A reload keeps the objects of services that have not changed. */
const preserved = new WeakSet<object>()

/** Returns the configuration as JSON, or null if that does not preserve it. In time slices. */
function* jsonOf({ services, ...own }: Config): Sliced<string | null> {
  const head = preservedJson(own)
  const all: string[] = []
  for (const service of services) {
    const json = yield* serviceJson(service, preserved.has(service) ? JSON.stringify : preservedJson)
    if (json === null) return null
    preserved.add(service)
    all.push(json)
    yield
  }
  return head && `${head.slice(0, -1)},"services":[${all.join()}]}`
}

function* serviceJson(
  { reals, ...own }: Service,
  jsonOf: (value: object) => string | null,
): Sliced<string | null> {
  const head = jsonOf(own)
  const all: (string | null)[] = []
  yield* eachInSteps(reals, real => {
    all.push(jsonOf(real))
  })
  return head === null || all.includes(null) ? null : `${head.slice(0, -1)},"reals":[${all.join()}]}`
}

function preservedJson(value: object): string | null {
  return survivesJson(value) ? JSON.stringify(value) : null
}

/** True if the file is the same but for the time. */
async function isKept(path: string, before: string, after: string): Promise<boolean> {
  const found = await readText(path).catch(() => null)
  const isAlike = found?.startsWith(before) === true && found.endsWith(after)
  return isAlike && /^"[^"]*"$/.test(found.slice(before.length, -after.length))
}
