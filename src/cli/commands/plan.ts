/** lvsd plan: shows the changes of the kernel's table if this configuration were activated now. */

import { desired } from '../../core/desired.js'
import { diff } from '../../core/diff.js'
import {
  type Change,
  type Config,
  type HealthState,
  keyOfService,
  type ResolvedConfig,
  type Table,
} from '../../core/model.js'
import { disposition } from '../../core/override.js'
import { KernelError } from '../../ipvs/kernel.js'
import { openTable, TABLES } from '../../ipvs/table.js'
import { Doubtful, type Doubts } from '../../names/unresolved-names.js'
import { journalPath, readJournal } from '../../storage/journal.js'
import { configArgument, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit, resolveNow } from '../load-or-exit.js'
import { countChanges, renderChanges, summaryOfChanges } from '../terminal/changes.js'

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
    const { config } = await loadConfigOrExit(context.arguments.CONFIG, context)
    const actual = await readTable(options.kernel)
    const { owned, names } = remembered(options.kernel, config)
    const { config: resolved, doubts } = await resolveNow(config, names, context)
    const changes = planned(resolved, ASSUMED[options.assume], { actual, owned, doubts })
    if (options.json) context.printData(asJson(changes))
    else {
      const services = new Map(resolved.services.map(({ id, name }) => [id ? keyOfService(id) : '', name]))
      const text = renderChanges(changes, { colour: context.screen.colour, nameOf: key => services.get(key) })
      context.print(`${text}${text === '' ? '' : '\n\n'}${summaryOfChanges(changes)}`)
    }
    return EXIT.ok
  },
})

/** State before the plan: the actual table, keys of owned services, and names in doubt. */
export interface Before {
  readonly actual: Table
  readonly owned: ReadonlySet<string>
  readonly doubts?: Doubts
}

/** Returns the changes that a configuration would make if every real server had this health. Pure. */
export function planned(
  { services }: ResolvedConfig,
  state: HealthState,
  { actual, owned, doubts = new Map() }: Before,
): Change[] {
  const doubtful = new Doubtful()
  doubtful.follow(services, doubts)
  const untouched = doubtful.untouched(actual)
  return diff(
    desired(
      services,
      (_, real) => disposition({ checked: state, advised: real.attributes.weight, override: null }),
      actual,
      (...question) => doubtful.mayBe(...question),
    ),
    actual,
    new Set([...owned].filter(key => !untouched.has(key))),
  )
}

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
  return readJournal(journalPath(settings.state, settings.socket))
}

/** Formats the changes as JSON. Maps become lists, and each change has the key of its service. */
function asJson(changes: readonly Change[]): string {
  const plain = changes.map(({ op, id, ...rest }) => ({ op, service: keyOfService(id), ...rest }))
  const lists = (_: string, value: unknown) => (value instanceof Map ? [...value.values()] : value)
  return JSON.stringify({ ...countChanges(changes), changes: plain }, lists, 2)
}
