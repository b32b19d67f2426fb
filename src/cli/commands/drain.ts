/** lvsd drain: stops new connections to a real server; existing ones continue. Can wait until they have ended. */
import { giveOverride } from '../../api/client.js'
import type { GiveRequest, OverrideOutcome } from '../../api/override-types.js'
import { RAMP_LIMITS } from '../../core/ramp.js'
import type { Named } from '../../overrides/targets.js'
import { printable } from '../../util/printable.js'
import { askDaemon } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT, type ExitCode } from '../command.js'
import { type DrainOutcome, outcomeLines, waitForDrain } from '../drain-wait.js'
import {
  type GivingContext,
  given,
  givingOptions,
  printOutcome,
  shown,
  socketOf,
  targetArgument,
  wordsOf,
} from '../override-command.js'
import { durationOf } from '../override-end.js'
import { usageError } from '../parse.js'

const options = {
  ...givingOptions,
  wait: {
    short: 'w',
    value: 'TIME',
    about: 'wait until the server has no connections, at most this long: 90s, 5m, 2h',
  },
  ramp: { value: 'TIME', about: 'lower the weight in steps over this time: 30s, 5m' },
  // biome-ignore lint/suspicious/noThenProperty: the name of the option
  then: { value: 'EFFECT', choices: ['disable'], about: 'with --wait: the effect when the server is empty' },
} as const

type DrainContext = CommandContext<typeof options, typeof targetArgument>

export const command = defineCommand({
  name: 'drain',
  summary: 'Give a real server no new connections; existing ones continue',
  details: `The real server gets weight 0, whatever its checks say, and does not keep the fallback out. The override
survives a reload, a restart and a reboot, and ends by "lvsd undrain", "lvsd enable" or at its end.
A real server that is written with several addresses is one: any of them means all, unless --only is given.
Quote brackets: a shell takes them for a pattern.

--wait reads the kernel's counters until the server has no active and no inactive connection and no persistence
template. It ends with 0 then, and with 1 and what is left after TIME. The kernel counts a closed TCP connection as
inactive for two more minutes. What the counters do not tell of UDP, one-packet and persistent services is said.
Ctrl-C ends the waiting and leaves the drain in force.
--ramp lowers the weight step by step. lvsd does this, so that it goes on after Ctrl-C, a reload and a restart.
--then disable takes the server out of the table when it is empty; after TIME or Ctrl-C it does not.`,
  arguments: targetArgument,
  options,
  examples: [
    ["lvsd drain 'web/[fd00::3]:80' --reason 'disk swap'", 'until somebody ends it'],
    ['lvsd drain web/::3 --only', 'one address of a real server that has several'],
    ['lvsd drain web/::3 --wait 5m', 'wait until there are no connections'],
    ['lvsd drain web/::3 --wait 1h --then disable', 'then remove it from the table'],
    ['lvsd drain web/::3 --ramp 30s', 'move its clients to other servers slowly'],
    ['lvsd drain web/::3 --for 2h', 'the shortest end of an address that only one server has'],
    ['lvsd drain web --until 06:00 --yes', 'all real servers of a service'],
  ],
  async run(context) {
    const wait = waitOf(context)
    const { request, outcome, named } = await given(context, 'drain', effectOf(context))
    if (wait === null || !outcome.ok) return shown(context, outcome, named)
    const isQuiet = context.options.json
    if (!isQuiet) printOutcome(context, outcome, named)
    const waited = await waitForDrain({
      context,
      socket: socketOf(context),
      targets: request.targets,
      wait,
      isQuiet,
    })
    const then = await followedBy(context, request, waited)
    return ended(context, { outcome, waited, then, named })
  },
})

/** Throws a usage error. */
function effectOf({ options: { ramp } }: DrainContext): GiveRequest['effect'] {
  if (ramp === undefined) return { kind: 'drain' }
  const ms = durationOf(ramp)
  if (ms === null || ms < RAMP_LIMITS.min || ms > RAMP_LIMITS.max)
    throw usageError(`--ramp takes a duration from 1s to 1d, such as 30s or 5m, not "${ramp}"`, 'drain')
  return { kind: 'drain', ramp: ms }
}

/** Milliseconds of --wait, or null without it. Throws a usage error. */
function waitOf({ options }: DrainContext): number | null {
  if (options.wait === undefined) {
    if (options.then === undefined) return null
    throw usageError('--then needs --wait: how long to wait until the server is empty', 'drain')
  }
  const wait = durationOf(options.wait)
  if (wait === null)
    throw usageError(`--wait takes a duration such as 90s, 5m or 2h, not "${options.wait}"`, 'drain')
  return wait
}

/** Disables the empty servers if --then requests it. */
async function followedBy(
  context: DrainContext,
  request: GiveRequest,
  { outcome }: DrainOutcome,
): Promise<OverrideOutcome | null> {
  if (context.options.then === undefined || outcome !== 'empty') return null
  return askDaemon(giveOverride(socketOf(context), { ...request, effect: { kind: 'disable' } }))
}

interface Ended {
  readonly outcome: OverrideOutcome
  readonly waited: DrainOutcome
  readonly then: OverrideOutcome | null
  readonly named: readonly Named[]
}

function ended(context: GivingContext, { outcome, ...end }: Ended): ExitCode {
  const { waited, then } = end
  if (context.options.json)
    context.printData(JSON.stringify({ schema: 1, ...outcome, wait: waited, then }, null, 2))
  else printWaited(context, end)
  if (waited.outcome === 'lost') return EXIT.unreachable
  return waited.outcome === 'empty' && then?.ok !== false ? EXIT.ok : EXIT.problem
}

function printWaited(context: GivingContext, { waited, then, named }: Omit<Ended, 'outcome'>): void {
  const say = waited.outcome === 'empty' ? context.print : context.warn
  for (const line of outcomeLines(waited, `lvsd undrain ${wordsOf(context)}`)) say(printable(line))
  if (then) printOutcome(context, then, named)
}
