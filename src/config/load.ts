/** A configuration file, YAML or ldirectord.cf, to a Config; mistakes of any sort are problems, never exceptions. */
import { readFile, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Check } from '../check.js'
import { loadChecks } from '../load-checks.js'
import type { Config } from '../model.js'
import { inPieces } from '../pieces.js'
import { retold } from './ldirectord/retold.js'
import { systemPorts } from './ports.js'
import { START } from './position.js'
import type { Position, Problem } from './problem.js'
import type { RawDocument } from './raw.js'
import { readLdirectord } from './read-ldirectord.js'
import { readingYaml } from './read-yaml.js'
import { newReport } from './report.js'
import { withSecrets } from './secrets.js'
import { checkFoldersOf, validating } from './validate.js'

export interface Loaded {
  /** Frozen; null where there is an error. */
  readonly config: Config | null
  /** By name and alias; empty where the file could not be read. */
  readonly checks: ReadonlyMap<string, Check>
  /** In the order of the file. */
  readonly problems: readonly Problem[]
  /** What stands in the file; empty where it cannot be read. */
  readonly text: string
}

export type Format = 'yaml' | 'ldirectord'

/** Reads, checks and freezes the configuration. `text` takes the place of the file's. */
export async function loadConfig(file: string, options: { readonly text?: string } = {}): Promise<Loaded> {
  const report = newReport(file)
  const nothing = (text: string): Loaded => ({
    config: null,
    checks: new Map(),
    problems: report.problems(),
    text,
  })
  let text = options.text
  try {
    text ??= await readText(file)
  } catch (error) {
    report.error('FILE_UNREADABLE', START, whyUnreadable(error as NodeJS.ErrnoException))
    return nothing('')
  }
  if (text.includes('\0')) report.error('NOT_TEXT', START, 'this is not text in UTF-8: save it as UTF-8')
  else if (isEmpty(text))
    report.error('EMPTY', START, 'nothing is configured: the file is empty or holds only comments')
  else return formatOf(file, text) === 'ldirectord' ? loadLdirectord(file, text) : loadYaml(file, text)
  return nothing(text)
}

/** YAML or ldirectord.cf, by the file's extension, else by how it looks. */
export function formatOf(file: string, text: string): Format {
  const extension = extname(file).toLowerCase()
  if (extension === '.cf') return 'ldirectord'
  if (['.yaml', '.yml', '.json'].includes(extension)) return 'yaml'
  const looksYaml = /^["']?(settings|defaults|services)["']?\s*:|^\s*\{/m.test(text)
  return !looksYaml && /^\s*[a-z]+6?\s*=/m.test(text) ? 'ldirectord' : 'yaml'
}

async function loadYaml(file: string, text: string): Promise<Loaded> {
  const document = await withSecrets(await inPieces(readingYaml(text, file)), { file, env: process.env })
  const folders = checkFoldersOf(document, file)
  const { checks, problems } = await loadChecks(folders)
  const told = problems.map(message => checkFolderProblem(file, message, document, folders))
  return finish(file, text, { root: document.root, problems: [...document.problems, ...told] }, checks)
}

async function loadLdirectord(file: string, text: string): Promise<Loaded> {
  const { checks, problems } = await loadChecks([])
  const document = readLdirectord(text, file, { checks, ports: systemPorts() })
  await setImmediate()
  const told = problems.map(message => checkFolderProblem(file, message, document, []))
  const loaded = await finish(
    file,
    text,
    { root: document.root, problems: [...document.problems, ...told] },
    checks,
  )
  return { ...loaded, problems: retold(loaded.problems) }
}

async function finish(
  file: string,
  text: string,
  document: RawDocument,
  checks: ReadonlyMap<string, Check>,
): Promise<Loaded> {
  const validated = await inPieces(validating({ file, document, checks, ports: systemPorts() }))
  return { ...validated, checks, text }
}

/** A check that was left out: an error, because servers would be judged without it or not at all. */
function checkFolderProblem(
  file: string,
  message: string,
  { root }: RawDocument,
  folders: readonly string[],
): Problem {
  const settings = root?.entries.find(({ key }) => key === 'settings')?.value
  const list =
    settings?.kind === 'map' ? settings.entries.find(({ key }) => key === 'checks')?.value : undefined
  const index = folders.findIndex(folder => message.includes(resolve(folder)))
  const at: Position = (list?.kind === 'list' && list.items[index]?.at) || list?.at || START
  return { severity: 'error', code: 'CHECK_FOLDER', message, file, at }
}

/** A pipe at a place for files would be waited for without end; one that a shell hands over has its writer. */
async function readText(file: string): Promise<string> {
  const found = await stat(file)
  if (found.isFIFO() && !/^\/(dev|proc)\//.test(file)) throw new Error('this is a pipe (FIFO), not a file')
  return readFile(file, 'utf8')
}

function isEmpty(text: string): boolean {
  return text.split('\n').every(line => /^\s*(#.*)?$/.test(line))
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read the file'
  if (code === 'EISDIR') return 'this is a folder, not a file'
  return code === undefined ? message : `the file cannot be read: ${message}`
}
