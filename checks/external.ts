import { type Answer, defineCheck, down, up } from '../src/check.js'
import type { Ended } from '../src/children.js'
import { locateProgram } from '../src/locate.js'
import {
  FACTS,
  filledIn,
  fourArguments,
  PLACEHOLDER,
  PLACEHOLDERS,
  run,
  whyNotRun,
  withOutput,
} from './_command.js'

/**
 * Runs a command: exit 0 is up. Its arguments are ldirectord's, `VIP|FWMARK VPORT REAL_IP REAL_PORT`, IPv6 addresses
 * in brackets, unless `arguments` says otherwise. No shell. It is killed with its children at the deadline.
 */
export const check = defineCheck({
  name: 'external',
  summary: 'runs a command, as ldirectord does; Nagios plug-ins too',
  perService: true,

  options: kit => ({
    checkcommand: kit.command('/bin/true', 'Path of the command; no arguments here'),
    arguments: kit.list([], `Arguments instead of ldirectord's four; placeholders: ${PLACEHOLDERS}`),
    nagios: kit.flag(
      false,
      'Read the exit code as of a Nagios plug-in: 0 OK, 1 warning, 2 critical, 3 unknown',
    ),
    warning: kit.choice(['up', 'down'], 'up', "What a Nagios plug-in's warning is"),
    dynamic: kit.flag(
      false,
      "Read the exit code as keepalived's misc_dynamic: 0 up, 1 down, 2 to 255 up with the weight 0 to 253",
    ),
  }),

  validate({ checkcommand, arguments: args, nagios, dynamic }) {
    if (checkcommand === '') return 'checkcommand takes the path of a command'
    if ([checkcommand, ...args].some(text => text.includes('\0'))) return 'a command cannot contain a NUL'
    if (nagios && dynamic) return 'an exit code is read in one way: nagios or dynamic, not both'
    const placeholders = args.flatMap(arg => arg.match(PLACEHOLDER) ?? [])
    const unknown = placeholders.find(word => !Object.hasOwn(FACTS, word.slice(1, -1)))
    return unknown ? `${unknown} is no placeholder; there are ${PLACEHOLDERS}` : null
  },

  missing: ({ checkcommand }) => whyNotRun(locateProgram(checkcommand)),

  async run(target, options, context) {
    const args = options.arguments
    const argv = args.length === 0 ? fourArguments(target) : filledIn(args, target, context.timeout)
    const ended = await run(locateProgram(options.checkcommand), argv, target, context)
    return 'ok' in ended ? ended : judge(ended, options)
  },
})

interface Wanted {
  readonly nagios: boolean
  readonly warning: 'up' | 'down'
  readonly dynamic: boolean
}

const NAGIOS_WORDS: Readonly<Record<number, string>> = { 0: 'OK', 1: 'warning', 2: 'critical', 3: 'unknown' }

function judge({ code, signal, output }: Ended, { nagios, warning, dynamic }: Wanted): Answer {
  // A plug-in's performance data stand after the bar.
  const printed = nagios ? output.split('|')[0] : output
  if (signal !== null || code === null) return down('signal', withOutput(`ended by ${signal}`, printed))
  const word = nagios ? (NAGIOS_WORDS[code] ?? `exit ${code}`) : `exit ${code}`
  const said = withOutput(word, printed)
  // An exit code has 8 bits: the weight is what it says beyond 2.
  if (dynamic && code >= 2) return up(said, { weight: code - 2 })
  const isUp = code === 0 || (nagios && code === 1 && warning === 'up')
  return isUp ? up(said) : down('status', said)
}
