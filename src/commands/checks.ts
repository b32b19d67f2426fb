/** lvsd checks: the kinds of check. */
import { existsSync, statSync } from 'node:fs'
import type { Check } from '../check.js'
import { configOrEnd } from '../command-line/config.js'
import { didYouMean } from '../config/nearest.js'
import { describeOptions, type OptionDescription } from '../describe-options.js'
import { loadChecks } from '../load-checks.js'
import { columns } from '../terminal/columns.js'
import { type Paint, painter } from '../terminal/paint.js'
import { type CommandContext, CommandError, defineCommand, EXIT } from './command.js'

export const command = defineCommand({
  name: 'checks',
  summary: 'List the kinds of check with their options and defaults',
  details: `The kinds that lvsd brings, and those of your own folders. With a KIND, only that one.
A kind of your own is one file: checks/README.md shows how.`,
  arguments: { KIND: { about: 'only this kind', optional: true } },
  options: {
    folder: { value: 'DIR', about: 'also the checks in this folder' },
    config: { value: 'CONFIG', about: 'also the checks in the folders of this configuration' },
    brief: { short: 'b', about: 'one line each, without options' },
    json: { short: 'j', about: 'as JSON' },
  },
  examples: [
    ['lvsd checks --brief', 'the kinds'],
    ['lvsd checks http', 'one kind with its options'],
    ['lvsd checks --folder /etc/lvsd/checks', 'do my own checks load?'],
  ],
  async run(context) {
    const { checks, problems } = await loadChecks(await foldersFor(context.options, context))
    const kinds = chosen([...new Set(checks.values())], context.arguments.KIND)
    const described = kinds.map(describe)
    if (context.options.json) context.print(JSON.stringify({ checks: described, problems }, null, 2))
    else
      context.print(renderKinds(described, { colour: context.screen.colour, brief: context.options.brief }))
    for (const problem of problems) context.warn(`lvsd: ${problem}`)
    return problems.length === 0 ? EXIT.ok : EXIT.problem
  },
})

async function foldersFor(
  { folder, config }: { folder: string | undefined; config: string | undefined },
  context: Pick<CommandContext, 'warn' | 'screen'>,
): Promise<readonly string[]> {
  if (folder !== undefined && !(existsSync(folder) && statSync(folder).isDirectory()))
    throw new CommandError(`${folder} is not a folder`, EXIT.usage)
  const configured = config === undefined ? [] : (await configOrEnd(config, context)).config.settings.checks
  return [...configured, ...(folder === undefined ? [] : [folder])]
}

function chosen(checks: readonly Check[], kind: string | undefined): readonly Check[] {
  if (kind === undefined) return checks
  const found = checks.filter(({ name, aliases }) => name === kind || aliases?.includes(kind))
  if (found.length > 0) return found
  const names = checks.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  const hint = didYouMean(kind, names) || `; there are: ${names.join(', ')}`
  throw new CommandError(`there is no check "${kind}"${hint}`, EXIT.usage)
}

/** A kind of check as data. */
export interface KindDescription {
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly defaultPort: number | null
  readonly options: readonly OptionDescription[]
}

function describe(check: Check): KindDescription {
  const { name, aliases = [], summary, defaultPort = null } = check
  return { name, aliases, summary, defaultPort, options: describeOptions(check) }
}

/** The kinds for people: a line each, their options below. Pure. */
export function renderKinds(
  kinds: readonly KindDescription[],
  { colour, brief = false }: { readonly colour: boolean; readonly brief?: boolean },
): string {
  const paint = painter(colour)
  if (brief) return columns(kinds.map(kind => [paint('bold', kind.name), kind.summary]))
  return kinds.map(kind => kindBlock(kind, paint)).join('\n\n')
}

function kindBlock({ name, aliases, summary, defaultPort, options }: KindDescription, paint: Paint): string {
  const notes = [
    ...(aliases.length > 0 ? [`also ${aliases.join(', ')}`] : []),
    ...(defaultPort === null ? [] : [`default port ${defaultPort}`]),
  ]
  const title = `${paint('bold', name)}  ${summary}${notes.length > 0 ? paint('dim', `  (${notes.join('; ')})`) : ''}`
  const rows = options.map(({ name: option, type, default: value, about }) => [
    option,
    type,
    defaultWord(value),
    about,
  ])
  return rows.length === 0 ? title : `${title}\n${columns(rows, { indent: 2 })}`
}

/** As it would stand in a configuration; `-` is nothing. */
function defaultWord(value: unknown): string {
  if (value === undefined) return 'required'
  if (value === null || (typeof value === 'object' && Object.keys(value).length === 0)) return '-'
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value)
}
