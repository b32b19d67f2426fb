/** Reads a configuration, YAML or ldirectord.cf, into a `Config`. Mistakes become problems, never exceptions. */
import type { Check } from '../check/check.js'
import type { Config, Service } from '../core/model.js'
import { type LoadedChecks, loadChecks } from '../kinds/find-kinds.js'
import { parseHosts } from '../names/hosts.js'
import { systemFile } from '../names/system-file.js'
import { readText } from '../system/read-file.js'
import { runSliced } from '../util/time-slice.js'
import { type Format, formatOf, isEmpty } from './format.js'
import { expandIncludes, hasIncludes, type Source } from './include.js'
import { systemPorts } from './ports.js'
import { START } from './problems/position.js'
import { hasErrors, type Problem } from './problems/problem.js'
import { byPlace, newReport } from './problems/report.js'
import { type Hiding, hiddenIn, secretNames } from './secrets.js'
import { folderProblems, judgedProblems } from './user-kinds.js'
import { NeedsFiles } from './validate/outside.js'
import { checkFoldersOf, type ValidateInput, validating } from './validate/validate.js'
import { readingYaml } from './yaml/read-yaml.js'

export interface Loaded {
  /** Frozen. Null if there is an error. */
  readonly config: Config | null
  /**
   * Kinds by name and alias. Empty if the file could not be read. Without problems, only those that the file mentions.
   */
  readonly checks: ReadonlyMap<string, Check>
  /** In the order of the file. */
  readonly problems: readonly Problem[]
  /** Text of the file. Empty if it cannot be read. */
  readonly text: string
  /** The files that it includes. */
  readonly included?: readonly Source[]
  /** Values of `include` as absolute paths. A file that matches one later is also part of the configuration. */
  readonly patterns?: readonly string[]
  /** Parts of the text that must not be shown. */
  readonly hiding?: Hiding
  /** A digest of each service by its name, if the configuration was read in a thread. */
  readonly digests?: Digests
  /** Present if a later reading of a similar text can take services from this one (`load-changed.ts`). */
  readonly reuse?: Reuse
}

export interface Reuse {
  /** Keys of the services that follow from the text alone. */
  readonly plain: ReadonlySet<string>
  /** At least the number of values of the file, as its limit counts them; 0 for a format without such a limit. */
  readonly values: number
  /** The name of this machine, if the format takes values from it. */
  readonly hostname?: string
  /** True if all of the configuration follows from the text, and the hostname, alone: nothing else was looked at. */
  readonly isWhole: boolean
}

/** Digests of services by name. Services with the same digest are equal; equal ones may have different digests. */
export type Digests = ReadonlyMap<string, string>

export interface LoadOptions {
  /** Used in place of the file's content. */
  readonly text?: string
  /** Files are included only from this folder: a text of somebody else must not show other files. */
  readonly within?: string
  /** Valid services that are not in the text, but in the same configuration. */
  readonly others?: readonly Service[]
  /** As in `ValidateInput`. */
  readonly isWithoutFiles?: boolean
  /** The process has nothing else to do. */
  readonly isAtStart?: boolean
}

/** Reads, validates and freezes the configuration. */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Loaded> {
  const report = newReport(file)
  let text = options.text
  try {
    text ??= readText(file)
  } catch (error) {
    report.error('FILE_UNREADABLE', START, (error as Error).message)
    return nothing('', report.problems())
  }
  if (text.includes('\0')) report.error('NOT_TEXT', START, 'this is not text in UTF-8: save it as UTF-8')
  else if (isEmpty(text))
    report.error('EMPTY', START, 'nothing is configured: the file is empty or holds only comments')
  else if (hasOtherFormat(file, text)) report.error('WRONG_FORMAT', START, OTHER_FORMAT[formatOf(file, text)])
  else return (formatOf(file, text) === 'ldirectord' ? loadLdirectord : loadYaml)(file, text, options)
  return nothing(text, report.problems())
}

/** Returns the result for a file without a readable configuration. */
export function nothing(text: string, problems: readonly Problem[]): Loaded {
  return { config: null, checks: new Map(), problems, text }
}

const OTHER_FORMAT: Readonly<Record<Format, string>> = {
  ldirectord:
    'this looks like YAML, and the name ends in .cf, which is read as an ldirectord.cf: the ending decides; rename it to .yaml',
  yaml: 'this looks like an ldirectord.cf, and the ending of its name says YAML: the ending decides; rename it to .cf',
}

/** True if the text is clearly in the other format than the extension says. */
function hasOtherFormat(file: string, text: string): boolean {
  const isYaml = /^(services|settings|defaults):\s*(#.*)?$/m.test(text)
  const isCf = /^\s*virtual6?\s*=/m.test(text)
  return formatOf(file, text) === 'ldirectord'
    ? isYaml && !isCf
    : isCf && !isYaml && !/^\s*[\w-]+:(\s|$)/m.test(text)
}

async function loadYaml(
  file: string,
  text: string,
  { within, others = [], isWithoutFiles = false }: LoadOptions,
): Promise<Loaded> {
  const read = await runSliced(readingYaml(text, file))
  if (isWithoutFiles && hasIncludes(read)) throw new NeedsFiles()
  const { document, ...expanded } = expandIncludes(read, file, text, within)
  const folders = checkFoldersOf(document, file)
  if (isWithoutFiles && folders.length > 0) throw new NeedsFiles()
  const kinds = await loadChecks(folders, wordsOf([text, ...expanded.included.map(source => source.text)]))
  const tables = { ports: systemPorts(), hosts: systemHosts() }
  const input = { file, document, checks: kinds.checks, ...tables, others, isWithoutFiles }
  // A text that cannot be parsed does not say what it includes.
  const sources = read.root ? { text, ...expanded } : { text }
  const loaded = await finish(input, kinds, sources)
  if (loaded.problems.length === 0 || folders.length > 0) return loaded
  const all = await loadChecks()
  if (hasErrors(loaded.problems)) return finish({ ...input, checks: all.checks }, all, sources)
  return { ...loaded, ...withHiding(input, loaded.problems, all.checks) }
}

/** Returns the words that may be names of kinds. */
function wordsOf(texts: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>()
  for (const text of texts)
    for (const [word] of text.toLowerCase().matchAll(/[a-z][a-z_-]*/g)) words.add(word)
  return words
}

async function loadLdirectord(
  file: string,
  text: string,
  { others = [], isWithoutFiles = false }: LoadOptions,
): Promise<Loaded> {
  // A site with YAML never needs these modules.
  const [kinds, { LDIRECTORD }, { readingLdirectord }, { relevantProblems }, { reuseOf }] = await Promise.all(
    [
      loadChecks(),
      import('./ldirectord/dialect.js'),
      import('./ldirectord/read-ldirectord.js'),
      import('./ldirectord/relevant-problems.js'),
      import('./ldirectord/reuse.js'),
    ],
  )
  const { checks } = kinds
  const ports = systemPorts()
  const document = await runSliced(readingLdirectord(text, file, { checks, ports }))
  const tables = { ports, hosts: systemHosts() }
  const input = { file, document, checks, ...tables, dialect: LDIRECTORD, others, isWithoutFiles }
  const loaded = await finish(input, kinds, { text, included: [], patterns: [] }, (problems, plain) =>
    reuseOf(document, problems, plain),
  )
  return { ...loaded, problems: relevantProblems(loaded.problems, document.heads) }
}

type ReuseOf = (problems: readonly Problem[], plain: Reuse['plain']) => Omit<Reuse, 'isWhole'> | null

function reuseOfValues({ values }: ValidateInput['document']): ReuseOf {
  return (problems, plain) => (problems.length === 0 && values !== undefined ? { plain, values } : null)
}

async function finish(
  input: ValidateInput,
  kinds: LoadedChecks,
  read: Pick<Loaded, 'text' | 'included' | 'patterns'>,
  reuseOf: ReuseOf = reuseOfValues(input.document),
): Promise<Loaded> {
  const { file, document, checks } = input
  const validated = await runSliced(validating(input))
  const { plain } = validated
  const found = [
    ...folderProblems(file, document, kinds, validated),
    ...(await judgedProblems(file, validated.questions)),
  ]
  const problems = [...validated.problems, ...found].sort(byPlace)
  const config = hasErrors(found) ? null : validated.config
  const isAlone = kinds.files.length === 0 && read.patterns?.length === 0
  const parts = config && isAlone ? reuseOf(problems, plain) : null
  const isWhole =
    validated.isPlain && parts?.plain.size === plain.size && config?.settings.checks.length === 0
  const reuse = parts && { ...parts, isWhole }
  return { config, problems, ...withHiding(input, problems, checks), ...read, ...(reuse && { reuse }) }
}

function withHiding(
  { document }: Pick<ValidateInput, 'document'>,
  problems: readonly Problem[],
  checks: LoadedChecks['checks'],
): Pick<Loaded, 'checks' | 'hiding'> {
  const isSecret = secretNames(checks)
  const hidden = problems.length === 0 ? [] : hiddenIn(document.root, isSecret)
  return { checks, hiding: { isSecret, hidden } }
}

const systemHosts = systemFile('/etc/hosts', parseHosts)
