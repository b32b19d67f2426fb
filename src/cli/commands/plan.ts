/** lvsd plan: shows the changes of the kernel's table if this configuration were activated now. */

import { overrideStatus } from '../../api/override-status.js'
import { renderProblems } from '../../config/problems/render-problem.js'
import { countChanges } from '../../core/change-counts.js'
import { keysOfKernel } from '../../core/kernel-services.js'
import {
  type Change,
  type Config,
  type HealthState,
  keyOfService,
  type ResolvedConfig,
  type ResolvedReal,
  type Table,
} from '../../core/model.js'
import { effectText, type Override, withReason } from '../../core/override.js'
import { withoutMarked } from '../../core/service-path.js'
import { planned } from '../../director/planned.js'
import { KernelError } from '../../ipvs/kernel.js'
import { openTable, TABLES } from '../../ipvs/table.js'
import { nameOfReal } from '../../overrides/command-overrides.js'
import { plannedOverrides } from '../../overrides/planned-overrides.js'
import { journalPath, readJournal, statePath } from '../../storage/journal.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { dateTime } from '../../util/time-text.js'
import { configArgument, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit, resolveNow } from '../load-or-exit.js'
import { renderChanges, summaryOfChanges } from '../terminal/changes.js'

/** The assumed health, by the word on the command line. */
const ASSUMED: Readonly<Record<'up' | 'down' | 'kernel', HealthState>> = {
  up: 'up',
  down: 'down',
  kernel: 'unknown',
}

export const command = defineCommand({
  name: 'plan',
  summary: 'Show what would change in the kernel if a configuration took over now; change nothing',
  details: `Reads the configuration and the kernel's table and prints the difference: + is added, - is removed, ~ is changed (before -> after).
Services that are neither in the configuration nor in lvsd's journal belong to others and are left alone.
Overrides that operators have given, and maintenance windows that are open, are in the plan and are listed; files of the
maintenance folder are not.
--assume kernel is the moment of taking over, before the first result of a check: what the kernel holds is kept,
what it does not hold stays out.`,
  arguments: configArgument,
  options: {
    assume: {
      value: 'HEALTH',
      choices: ['up', 'down', 'kernel'],
      default: 'up',
      about: 'health of every real server',
    },
    kernel: {
      value: 'TABLE',
      choices: TABLES,
      default: 'netlink',
      about: "the kernel's table, or an empty one, which needs no privileges",
    },
    json: { short: 'j', about: 'the changes as JSON' },
  },
  examples: [
    ['lvsd plan /etc/lvsd/lvsd.yaml', 'before the first start, or before a reload'],
    ['lvsd plan site.yaml --kernel memory', 'the whole table that a configuration makes, without root'],
    ['lvsd plan site.yaml --assume down', 'what is left when everything fails'],
  ],
  async run(context) {
    const { options } = context
    const loaded = await loadConfigOrExit(context.arguments.CONFIG, context)
    const { config } = loaded
    // What the plan removes may be missing by mistake.
    const empty = loaded.problems.filter(({ code }) => code === 'EMPTY_INCLUDE')
    if (empty.length > 0)
      context.warn(
        renderProblems({ ...loaded, problems: empty }, { colour: context.screen.colour }).trimEnd(),
      )
    const actual = await readTable(options.kernel)
    const { owned, names } = remembered(options.kernel, config)
    const { config: resolved, doubts } = await resolveNow(config, names, context)
    const now = Date.now()
    const overrides = await overridesOf(options.kernel, resolved, now, context.warn)
    const changes = planned(resolved, () => ASSUMED[options.assume], {
      actual,
      owned,
      doubts,
      overrides,
      now,
    })
    if (options.json) context.printData(asJson(changes, resolved, overrides))
    else {
      const services = new Map(
        resolved.services.flatMap(service => keysOfKernel(service).map(key => [key, service.name])),
      )
      const text = renderChanges(changes, { colour: context.screen.colour, nameOf: key => services.get(key) })
      context.print(`${text}${text === '' ? '' : '\n\n'}${summaryOfChanges(changes)}`)
      if (overrides.size > 0) context.print(`\n${overridesText(resolved, overrides)}`)
    }
    return EXIT.ok
  },
})

async function readTable(kind: 'netlink' | 'memory'): Promise<Table> {
  try {
    const kernel = await openTable(kind, process.env)
    const { table } = await kernel.dump().finally(() => kernel.close())
    return table
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const hint = '--kernel memory compares with an empty table instead'
    throw new KernelError(`${error.message}; ${hint}`, error.code, { cause: error })
  }
}

/** Returns the owned services and last addresses of names from the journal of lvsd on this machine. */
function remembered(kind: 'netlink' | 'memory', { settings }: Config) {
  if (kind === 'memory') return { owned: new Set<string>(), names: new Map<string, string>() }
  const { owned, marks, names } = readJournal(journalPath(settings.state, settings.socket))
  // The services of checks through paths follow by themselves.
  return { owned: withoutMarked(owned, marks), names }
}

/** Returns the overrides in force. Overrides that cannot be read are omitted with a warning. */
async function overridesOf(
  kind: 'netlink' | 'memory',
  { services, settings }: ResolvedConfig,
  now: number,
  warn: (text: string) => void,
): Promise<ReadonlyMap<ResolvedReal, Override>> {
  if (kind === 'memory') return new Map()
  const path = statePath(settings, 'overrides')
  try {
    return await plannedOverrides(services, path, now)
  } catch (error) {
    warn(`the overrides in ${path} cannot be read and are not in this plan: ${(error as Error).message}`)
    return new Map()
  }
}

/** Maximum number of overrides that are listed. */
const MOST_LISTED = 20

/** Returns a line for each real server with an override: `web/[2001:db8::1]:80  drain by anna: disk swap`. */
export function overridesText(
  { services }: ResolvedConfig,
  overrides: ReadonlyMap<ResolvedReal, Override>,
): string {
  const lines = services.flatMap(({ name, reals }) =>
    reals.flatMap(real => {
      const override = overrides.get(real)
      if (!override) return []
      const end = override.until === null ? '' : ` until ${dateTime(override.until)}`
      const text = `${effectText(override.effect)}${end} by ${withReason(override)}`
      return [printable(`${name}/${nameOfReal(real)}  ${text}`)]
    }),
  )
  const more = lines.length - MOST_LISTED
  const rest = more > 0 ? [`and ${more} more`] : []
  return [
    `${counted(lines.length, 'override')} in this plan:`,
    ...[...lines.slice(0, MOST_LISTED), ...rest].map(line => `  ${line}`),
  ].join('\n')
}

/** Formats the changes as JSON. Maps become lists, and each change has the key of its service. */
function asJson(
  changes: readonly Change[],
  { services }: ResolvedConfig,
  overrides: ReadonlyMap<ResolvedReal, Override>,
): string {
  const plain = changes.map(({ op, id, ...rest }) => ({ op, service: keyOfService(id), ...rest }))
  const given = services.flatMap(({ name, reals }) =>
    reals.flatMap(real => {
      const override = overrideStatus(overrides.get(real) ?? null)
      return override ? [{ service: name, real: nameOfReal(real), override }] : []
    }),
  )
  const lists = (_: string, value: unknown) => (value instanceof Map ? [...value.values()] : value)
  return JSON.stringify({ schema: 1, ...countChanges(changes), changes: plain, overrides: given }, lists, 2)
}
