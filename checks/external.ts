import { type Answer, defineCheck, down, up } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { locateProgram } from '../src/system/find-program.js'
import type { Ended } from '../src/system/processes.js'
import {
  ABOUT_ENVIRONMENT,
  FACTS,
  filledIn,
  fourArguments,
  PLACEHOLDER,
  PLACEHOLDERS,
  problemOfVariables,
  run,
  whyNotRun,
  withOutput,
} from './lib/command.js'

/**
 * Runs a command without a shell: exit code 0 is up. The arguments are ldirectord's, `VIP|FWMARK VPORT REAL_IP
 * REAL_PORT` with IPv6 addresses in brackets, unless `arguments` is set. At the deadline the command is killed with its
 * children.
 */
export const check = defineCheck({
  name: 'external',
  summary: 'runs a command, as ldirectord does; Nagios plug-ins too',
  perService: true,
  connects: false,
  startsProcesses: true,

  options: kit => ({
    checkcommand: kit.command('/bin/true', 'Path of the command; no arguments here'),
    arguments: kit.list([], `Arguments instead of ldirectord's four; placeholders: ${PLACEHOLDERS}`),
    environment: kit.environment(ABOUT_ENVIRONMENT),
    nagios: kit.flag(
      false,
      'Read the exit code as of a Nagios plug-in: 0 OK, 1 warning, 2 critical, 3 unknown',
    ),
    warning: kit.choice(
      ['up', 'down'],
      'up',
      'State for a warning of a Nagios plug-in; exit 1 without output, or of a script that died, is always down',
    ),
    dynamic: kit.flag(
      false,
      "Read the exit code as keepalived's misc_dynamic: 0 up, 1 down, 2 to 255 up with the weight 0 to 253",
    ),
  }),

  validate({ checkcommand, arguments: args, environment, nagios, dynamic }) {
    if (checkcommand === '') return problemOf('checkcommand', 'checkcommand takes the path of a command')
    if ([checkcommand, ...args].some(text => text.includes('\0')))
      return problemOf('checkcommand', 'a command cannot contain a NUL')
    if (nagios && dynamic) return problemOf('dynamic', 'give nagios or dynamic, not both')
    const placeholders = args.flatMap((arg, i) => (arg.match(PLACEHOLDER) ?? []).map(word => ({ i, word })))
    const unknown = placeholders.find(({ word }) => !Object.hasOwn(FACTS, word.slice(1, -1)))
    return unknown
      ? problemOf(
          ['arguments', unknown.i],
          `${unknown.word} is not a placeholder; the placeholders are ${PLACEHOLDERS}`,
        )
      : problemOfVariables(environment)
  },

  expects: ({ nagios, warning, dynamic }) => {
    if (dynamic) return 'exit code 0, or 2 to 255 with a weight'
    return nagios && warning === 'up' ? 'exit code 0, or 1 (a warning)' : 'exit code 0'
  },

  missing: ({ checkcommand }) => whyNotRun(locateProgram(checkcommand)),

  async run(target, options, context) {
    const args = options.arguments
    const argv = args.length === 0 ? fourArguments(target) : filledIn(args, target, context.timeout)
    const call = { argv, variables: options.environment }
    const ended = await run(locateProgram(options.checkcommand), call, target, context)
    return 'ok' in ended ? ended : judge(ended, options)
  },
})

interface Wanted {
  readonly nagios: boolean
  readonly warning: 'up' | 'down'
  readonly dynamic: boolean
}

const NAGIOS_WORDS: Readonly<Record<number, string>> = { 0: 'OK', 1: 'warning', 2: 'critical', 3: 'unknown' }
/**
 * Output of interpreters for a script that fails by an error of its own, mostly with exit code 1: Python, Perl, shells,
 * Ruby, Node, Java, Lua, PHP.
 */
const CRASHES: readonly RegExp[] = [
  /^Traceback \(most recent call last\):/m,
  /^[ \t]{0,40}File "[^"\n]{1,200}", line \d/m,
  / at \S{1,200} line \d{1,9}\.?$/m,
  /^\S{1,200}: (?:line )?\d{1,9}: .*(?:not found|[Ss]yntax error|unbound variable|Permission denied|parameter not set)/m,
  /^\S{1,200}:\d{1,9}:in [`']/m,
  /^[ \t]{1,40}at \S{1,200} \(/m,
  /^(?:Exception in thread |(?:PHP )?Fatal error:|lua\S{0,8}: )/m,
]
/** A plug-in that prints this word has completed its check, even if its interpreter prints errors too. */
const SAYS_WARNING = /\bWARN(?:ING)?\b/

function judge({ code, signal, output }: Ended, { nagios, warning, dynamic }: Wanted): Answer {
  if (signal !== null || code === null) return down('signal', withOutput(`ended by ${signal}`, output))
  if (nagios) return judgePlugin(code, output, warning)
  const said = withOutput(`exit ${code}`, output)
  // Exit codes have 8 bits, so the weight is at most 253.
  if (dynamic && code >= 2) return up(said, { weight: code - 2 })
  return code === 0 ? up(said) : down('status', said)
}

/**
 * A plug-in reports a warning in words, as the guidelines of the Monitoring Plugins require. Exit code 1 without
 * output, or with an interpreter's error message, is not a warning but a failure of the plug-in, whatever `warning` is
 * set to.
 */
function judgePlugin(code: number, output: string, warning: Wanted['warning']): Answer {
  // Performance data follows the bar.
  const printed = output.split('|')[0]
  if (code === 1 && printed?.trim() === '')
    return down('status', 'exit 1 without output: not a warning, the plug-in failed')
  if (code === 1 && hasCrashed(output))
    return down('status', withOutput('the plug-in failed (exit 1)', lastLine(output)))
  const said = withOutput(NAGIOS_WORDS[code] ?? `exit ${code}`, printed)
  return code === 0 || (code === 1 && warning === 'up') ? up(said) : down('status', said)
}

function hasCrashed(output: string): boolean {
  return !SAYS_WARNING.test(output) && CRASHES.some(crash => crash.test(output))
}

/** Returns the last line, in which Python and others print the error. */
function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? ''
}
