/**
 * Validates the raw tree of either reader. Returns a frozen `Config`, or all problems. It also reads password files and
 * tests for the files and programs that options name.
 */
import type { Check } from '../../check/check.js'
import { type OptionShape, optionKit } from '../../check/option-kit.js'
import { virtualsOf } from '../../core/kernel-services.js'
import type { Config, Service } from '../../core/model.js'
import type { Question } from '../../kinds/judge-apart.js'
import type { Hosts } from '../../names/hosts.js'
import { deepFreeze } from '../../util/deep-freeze.js'
import { runSync, type Sliced } from '../../util/time-slice.js'
import { type Dialect, YAML } from '../dialect.js'
import { folderOf } from '../paths.js'
import type { PortLookup } from '../ports.js'
import { START } from '../problems/position.js'
import { hasErrors, lineOf, type Position, type Problem } from '../problems/problem.js'
import { byPlace, newReport, type Report } from '../problems/report.js'
import type { RawDocument, RawEntry, RawMap } from '../raw.js'
import type { Fields } from '../read/fields.js'
import { layEntries, outputOf } from '../read/layers.js'
import { readFields } from '../read/read-node.js'
import { Sorts } from '../read/sorts.js'
import { apiFields } from '../schema/api-fields.js'
import { defaultsFields, rootFields, settingsFields } from '../schema/schema.js'
import { secretSources } from '../secret-sources.js'
import { readAlerts } from './alerts.js'
import { checkFoldersOf } from './check-folders.js'
import { judgeUnused } from './checks.js'
import { readCluster } from './cluster.js'
import type { Context, DefaultsFields, PlaceOf } from './context.js'
import { Outside } from './outside.js'
import { judgeMarks } from './paths.js'
import { judgeCollisions, judgePartNames, type PlacedService, readingService } from './service.js'
import { judgeSettings } from './settings.js'

export { checkFoldersOf }

export interface ValidateInput {
  readonly file: string
  readonly document: RawDocument
  /** Kinds by name and alias. */
  readonly checks: ReadonlyMap<string, Check>
  readonly ports: PortLookup
  /** Addresses of names that this machine knows without a look-up (/etc/hosts). Absent: none. */
  readonly hosts?: Hosts
  /** Environment variables that may contain passwords. Default: those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: `YAML`. */
  readonly dialect?: Dialect
  /** Valid services that are not in the document, but in the same configuration. */
  readonly others?: readonly Service[]
  /** True: throws NeedsFiles instead of a look at a file that the configuration names, or for a program. */
  readonly isWithoutFiles?: boolean
}

export interface Validated {
  /** Null if there is an error. */
  readonly config: Config | null
  /** Problems of the reader and of the validation, in the order of the file. */
  readonly problems: readonly Problem[]
  /** Questions for users' files. They must be answered before the configuration is accepted. */
  readonly questions: readonly Question<PlaceOf>[]
  /** Names of all kinds that the configuration uses. */
  readonly kinds: ReadonlySet<string>
  /**
   * Keys of the services that follow from the text alone: from their own and from what is not below `services`. Nothing
   * else, such as a file that they name, can change them.
   */
  readonly plain: ReadonlySet<string>
  /** True if nothing but the text was looked at, for no part of the configuration. */
  readonly isPlain: boolean
}

export function validate(input: ValidateInput): Validated {
  return runSync(validating(input))
}

/** Same as `validate`, in time slices. */
export function* validating(input: ValidateInput): Sliced<Validated> {
  const { file, document, checks, env = process.env, dialect = YAML, others = [], isWithoutFiles } = input
  const report: Report = newReport(file, { told: document.problems })
  const shapes = new Map<Check, OptionShape>()
  const optionsOf = (check: Check) => {
    const shape = shapes.get(check) ?? check.options(optionKit)
    shapes.set(check, shape)
    return shape
  }
  const folderAt = (at: Position) =>
    dialect.relativePaths === 'as written' ? null : folderOf(at.file ?? file)
  const questions: Question<PlaceOf>[] = []
  const kinds = new Set<string>()
  const outside = new Outside(isWithoutFiles)
  const context: Context = {
    report,
    dialect,
    checks,
    ...outside.tables(input),
    optionsOf,
    missingOf: missingOnce(),
    askApart: question => void questions.push(question),
    judged: new WeakSet(),
    useKind: name => void kinds.add(name),
    folderAt,
    secrets: secretSources({ report, env, folderAt }),
    sorts: new Sorts(),
    looksAtFiles: outside.lookAtFiles,
    looksAtMachine: outside.look,
  }
  const config = document.root && (yield* readRoot(input, document.root, { context, outside, others }))
  const problems = [...document.problems, ...report.problems()].sort(byPlace)
  const { plain, isPlain } = outside
  const isValid = config && !hasErrors(problems)
  return { config: isValid ? deepFreeze(config) : null, problems, questions, kinds, plain, isPlain }
}

function missingOnce(): Context['missingOf'] {
  const known = new Map<string, string | null>()
  return (check, options) => {
    if (!check.missing) return null
    const key = JSON.stringify([check.name, options])
    const before = known.get(key)
    const missing = before === undefined ? check.missing(options) : before
    known.set(key, missing)
    return missing
  }
}

interface Reading {
  readonly context: Context
  readonly outside: Outside
  readonly others: readonly Service[]
}

function* readRoot(
  { file, document }: Pick<ValidateInput, 'file' | 'document'>,
  root: RawMap,
  reading: Reading,
): Sliced<Config> {
  const { context } = reading
  const entries = root.entries.filter(({ key }) => !key.startsWith('x-'))
  const parts = readFields(entries, rootFields, { name: 'the file', at: START }, context)
  const { settings, sysctls = {}, api, cluster } = parts.values
  if (settings) judgeSettings(settings, context)
  const services = yield* readServices(parts, defaultsOf(parts, document.defaults, context), reading)
  const all = [...services, ...reading.others]
  const alerts = readAlerts(parts.values.alerts ?? [], all, context)
  return {
    file,
    settings: outputOf(settingsFields, settings ? [settings] : []),
    ...(Object.keys(sysctls).length > 0 && { sysctls }),
    ...(alerts.length > 0 && { alerts }),
    services,
    ...(api && { api: outputOf(apiFields, [api]) }),
    ...(cluster && { cluster: readCluster(cluster, all, context) }),
  }
}

interface Defaults {
  readonly all: readonly DefaultsFields[]
  of(file: string | undefined): DefaultsFields
}

/** Returns the defaults by file. The `defaults` of an included file override those of the main file, key by key. */
function defaultsOf(
  parts: Fields<typeof rootFields>,
  included: RawDocument['defaults'] = new Map(),
  context: Context,
): Defaults {
  const value = parts.entry('defaults')?.value
  const own = value?.kind === 'map' ? value.entries : []
  const read = (entries: readonly RawEntry[]) =>
    readFields(entries, defaultsFields, { name: 'defaults', at: parts.keyAt('defaults') }, context)
  const first = parts.values.defaults ?? read([])
  const others = [...included].map(([file, over]) => [file, read(layEntries(own, over))] as const)
  const byFile = new Map<string | undefined, DefaultsFields>(others)
  return { all: [first, ...byFile.values()], of: file => byFile.get(file) ?? first }
}

function* readServices(
  parts: Fields<typeof rootFields>,
  defaults: Defaults,
  { context, outside, others }: Reading,
): Sliced<Config['services']> {
  const { report } = context
  if (!parts.entry('services') && !parts.isMisspelt('services'))
    report.error('MISSING_KEY', START, 'there is no part "services": nothing would be balanced')
  const entries = parts.values.services ?? []
  if (parts.values.services && entries.length === 0)
    report.warn('NO_SERVICES', parts.keyAt('services'), 'no services: nothing is balanced')
  judgeNames(entries, context)
  const services: PlacedService[] = []
  for (const one of entries) {
    const reading = readingService(one, defaults.of(one.keyAt.file), context)
    services.push(...(yield* outside.watching(one.key, reading)))
    yield
  }
  for (const one of defaults.all) judgeUnused(one, context)
  const all = [...services, ...others.map(placedAtStart)]
  judgePartNames(all, context)
  judgeCollisions(all, context)
  judgeMarks(parts.values.settings, all, context)
  return services.map(({ service }) => service)
}

function placedAtStart(service: Service): PlacedService {
  return { service, at: START, places: virtualsOf(service).map(virtual => ({ virtual, at: START })) }
}

/**
 * Reports repeated names. The YAML reader reports those in one file; names in several files or from the other reader
 * can repeat.
 */
function judgeNames(entries: readonly RawEntry[], { report }: Context): void {
  const first = new Map<string, RawEntry>()
  for (const entry of entries) {
    const before = first.get(entry.key)
    if (!before) first.set(entry.key, entry)
    else
      report.error(
        'DUPLICATE_SERVICE',
        entry.keyAt,
        `"${entry.key}" is the name of the service in ${lineOf(before.keyAt, entry.keyAt, report.file)}, too`,
      )
  }
}
