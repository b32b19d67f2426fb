/** lvsd recheck: runs the checks of real servers now. */
import { fetchRechecked, requestRecheck } from '../../api/client.js'
import type { TargetName } from '../../api/override-types.js'
import type { RecheckedReal, RecheckOutcome } from '../../api/recheck-types.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, CommandError, defineCommand, EXIT, type ExitCode } from '../command.js'
import { namedTargets } from '../named-targets.js'
import { onlyOption, targetArgument } from '../override-command.js'
import { Rechecks } from '../rechecks.js'
import { recheckLine, summaryLine } from '../terminal/recheck.js'

/** Milliseconds between two questions for results. */
const ASK_EVERY = 200

const options = {
  ...socketOption,
  ...onlyOption,
  wait: { short: 'w', about: 'wait for the results; on a terminal this is so anyway' },
  json: { short: 'j', about: 'the outcome as JSON; with --wait the servers with their results' },
} as const

type Context = CommandContext<typeof options, typeof targetArgument>

export const command = defineCommand({
  name: 'recheck',
  summary: 'Run the checks of real servers now, instead of at their next time',
  details: `Brings the next run of each check forward; of many servers, 500 checks a second. rise and fall count as always, so a
server may need several passed checks; --wait waits for these too. The exit code of --wait is 0 if all the servers are
up at the end, else 1. Ctrl-C ends the waiting; the checks run anyway.`,
  arguments: targetArgument,
  options,
  examples: [
    ['lvsd recheck web/::3', 'one real server'],
    ['lvsd recheck web --wait', 'all of a service; in a script: is it well?'],
    ['lvsd recheck all --json', 'for programs'],
  ],
  async run(context) {
    const socket = socketPath(context.options.socket, context.env)
    const scope = context.options.only ? 'address' : 'server'
    const targets = [...(await namedTargets(socket, context.arguments.TARGET, 'recheck', scope))]
    const outcome = await askDaemon(requestRecheck(socket, { targets }))
    if (outcome.trouble !== null) throw new CommandError(printable(outcome.trouble), EXIT.problem)
    const { json, wait } = context.options
    const asked = `${counted(outcome.checks, 'check')} of ${counted(outcome.reals, 'real server')} brought forward`
    if (!wait && (json || !context.screen.isTerminal)) {
      const { checks, reals, spread } = outcome
      if (json) context.printData(JSON.stringify({ schema: 1, reals, checks, spread }, null, 2))
      else context.print(asked)
      return EXIT.ok
    }
    if (!json) context.print(asked)
    return waitFor(context, { socket, targets, outcome })
  },
})

interface Asked {
  readonly socket: string
  readonly targets: TargetName[]
  readonly outcome: RecheckOutcome
}

/** Prints each result as it arrives, until each server has decided. */
async function waitFor(context: Context, { socket, targets, outcome }: Asked): Promise<ExitCode> {
  const { options, screen } = context
  const end = performance.now() + outcome.within
  const rechecks = new Rechecks(outcome.after, outcome.reals)
  let isInterrupted = false
  const unlisten = context.onSignal(['SIGINT', 'SIGTERM'], () => {
    isInterrupted = true
  })
  try {
    while (!isInterrupted && !rechecks.isComplete && performance.now() < end) {
      const reals = await askDaemon(fetchRechecked(socket, { targets, after: rechecks.after }))
      for (const each of rechecks.take(reals)) if (!options.json) context.print(recheckLine(each, screen))
      if (!rechecks.isComplete) await new Promise(resolve => setTimeout(resolve, ASK_EVERY))
    }
  } finally {
    unlisten()
  }
  const all: readonly RecheckedReal[] = rechecks.reals
  const isWell = all.length === outcome.reals && all.every(({ state }) => state === 'up')
  const { reals, checks, spread } = outcome
  if (options.json)
    context.printData(JSON.stringify({ schema: 1, reals, checks, spread, results: all }, null, 2))
  else context.print(summaryLine(all, outcome.reals, screen))
  return isWell ? EXIT.ok : EXIT.problem
}
