/** lvsd checks: lists the kinds of check. */
import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Check } from '../../check/check.js'
import { describeOptions, type OptionDescription } from '../../check/describe-options.js'
import { type LoadedChecks, loadChecks } from '../../kinds/find-kinds.js'
import { kindNameOf } from '../../kinds/folder.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { type Paint, painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { type CommandContext, CommandError, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit } from '../load-or-exit.js'
import { columns } from '../terminal/columns.js'

export const command = defineCommand({
  name: 'checks',
  summary: 'List the kinds of check with their options and defaults',
  details: `The kinds that lvsd brings, and those of your own folders: each file of these is listed first, with ok, or with
the reason why it is not loaded. With a KIND, only that one. A kind of your own is one file: checks/README.md shows how.`,
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
    const { options } = context
    const { KIND } = context.arguments
    const loaded = await loadChecks(await foldersFor(options, context))
    const described = chosen(loaded, KIND, options).map(describe)
    if (options.json) {
      const { problems, replaced, files } = loaded
      context.printData(JSON.stringify({ checks: described, problems, replaced, files }, null, 2))
    } else {
      const { colour } = context.screen
      const folders = KIND === undefined ? renderFolders(loaded, { colour }) : []
      const kinds = renderKinds(described, { colour, brief: options.brief })
      context.print([...folders, kinds].join('\n\n'))
    }
    for (const sentence of [...loaded.problems, ...loaded.replaced]) context.warn(`lvsd: ${sentence}`)
    return loaded.problems.length === 0 ? EXIT.ok : EXIT.problem
  },
})

async function foldersFor(
  { folder, config }: { folder: string | undefined; config: string | undefined },
  context: Pick<CommandContext, 'warn' | 'screen'>,
): Promise<readonly string[]> {
  if (folder !== undefined && !(existsSync(folder) && statSync(folder).isDirectory()))
    throw new CommandError(`${folder} is not a folder`, EXIT.usage)
  const configured =
    config === undefined ? [] : (await loadConfigOrExit(config, context)).config.settings.checks
  return [...configured, ...(folder === undefined ? [] : [folder])]
}

/** Returns the kinds to list, those of users' folders first. Throws a CommandError if the given kind does not exist. */
function chosen(
  { checks: byName, files, unusable }: LoadedChecks,
  kind: string | undefined,
  options: { folder: string | undefined; config: string | undefined },
): readonly Check[] {
  const checks = [...new Set(byName.values())].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)))
  if (kind === undefined) return checks
  const found = byName.get(kind)
  const file = files.find(({ path, problem }) => problem !== null && kindNameOf(path) === kind)
  if (file) throw new CommandError(`there is no check "${kind}": ${file.path}: ${file.problem}`, EXIT.problem)
  if (found) return [found]
  if (unusable[0]) throw new CommandError(`there is no check "${kind}": ${unusable[0].problem}`, EXIT.problem)
  const isElsewhere = options.folder === undefined && options.config === undefined
  const own = isElsewhere ? '; for a check of your own give --folder DIR or --config CONFIG' : ''
  const hint = didYouMeanOf(kind, byName.keys())
  throw new CommandError(`there is no check "${kind}"${hint}${own}`, EXIT.usage)
}

function isOwn({ origin }: Check): boolean {
  return origin === 'user'
}

/** Formats the result for each file of the users' folders, in a block for each folder. Pure. */
export function renderFolders(
  { files, unusable }: Pick<LoadedChecks, 'files' | 'unusable'>,
  { colour }: { readonly colour: boolean },
): readonly string[] {
  const paint = painter(colour)
  const folders = [...new Set([...unusable, ...files].map(({ folder }) => folder))]
  return folders.map(folder => {
    const rows = files
      .filter(file => file.folder === folder)
      .map(({ path, problem, remark }) => [
        basename(path),
        problem === null
          ? `${paint('green', 'ok')}${remark === null ? '' : `, but ${printable(remark)}`}`
          : paint('red', printable(problem)),
      ])
    const why = unusable.find(each => each.folder === folder)?.problem
    const lines = why === undefined ? [] : [`  ${paint('red', printable(why))}`]
    return [paint('bold', folder), ...lines, ...(rows.length > 0 ? [columns(rows, { indent: 2 })] : [])].join(
      '\n',
    )
  })
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

/** Formats the kinds for people: a line for each kind, with its options below. Pure. */
export function renderKinds(
  kinds: readonly KindDescription[],
  { colour, brief = false }: { readonly colour: boolean; readonly brief?: boolean },
): string {
  const paint = painter(colour)
  if (brief) return columns(kinds.map(kind => [paint('bold', kind.name), printable(kind.summary)]))
  return kinds.map(kind => kindBlock(kind, paint)).join('\n\n')
}

function kindBlock({ name, aliases, summary, defaultPort, options }: KindDescription, paint: Paint): string {
  const notes = [
    ...(aliases.length > 0 ? [`also ${aliases.join(', ')}`] : []),
    ...(defaultPort === null ? [] : [`default port ${defaultPort}`]),
  ]
  const title = `${paint('bold', name)}  ${printable(summary)}${notes.length > 0 ? paint('dim', `  (${notes.join('; ')})`) : ''}`
  const rows = options.map(({ name: option, type, default: value, about }) => [
    option,
    type,
    defaultWord(value),
    printable(about),
  ])
  return rows.length === 0 ? title : `${title}\n${columns(rows, { indent: 2 })}`
}

/** Formats a default value as in a configuration; `-` means none. */
function defaultWord(value: unknown): string {
  if (value === undefined) return 'required'
  if (value === null || (typeof value === 'object' && Object.keys(value).length === 0)) return '-'
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value)
}
