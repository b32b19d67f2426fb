import { constants } from 'node:fs'
import { type Answer, defineCheck, down, noVerdict, up } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { type Located, locateFile, locateProgram } from '../src/system/find-program.js'
import type { Ended } from '../src/system/processes.js'
import {
  ABOUT_ENVIRONMENT,
  fourArguments,
  problemOfVariables,
  run,
  whyNotRun,
  withOutput,
} from './lib/command.js'

const MISSING = 'there is no perl on this machine: install it'

/**
 * Perl code that runs the script's file as ldirectord does: as code that may also return. `exit N` ends it. The
 * messages of `die` and of syntax errors are printed.
 */
const RUNNER = `
my $file = shift @ARGV;
$0 = $file;
my $done = do $file;
die $@ if $@ ne '';
die "$file: $!\\n" if !defined $done && !-r $file;
exit 0;
`

/**
 * Runs a Perl script for ldirectord's `checktype = external-perl` in a perl process. @ARGV has the same four arguments.
 * Exit code 0, return, and the end of the file are up; another exit code and `die` are down.
 */
export const check = defineCheck({
  name: 'external-perl',
  summary: "runs a Perl script of ldirectord's external-perl, in a process of its own",
  perService: true,
  connects: false,
  startsProcesses: true,

  options: kit => ({
    checkcommand: kit.command(undefined, 'Path of the script'),
    environment: kit.environment(ABOUT_ENVIRONMENT),
  }),

  validate({ checkcommand, environment }) {
    if (checkcommand === '') return problemOf('checkcommand', 'checkcommand takes the path of a script')
    return checkcommand.includes('\0')
      ? problemOf('checkcommand', 'a path cannot contain a NUL')
      : problemOfVariables(environment)
  },

  missing: ({ checkcommand }) => whyNotRun(perl(), locateFile(checkcommand, constants.R_OK)),

  async run(target, { checkcommand, environment }, context) {
    const script = locateFile(checkcommand, constants.R_OK)
    if ('why' in script) return noVerdict(script.why)
    const argv = ['-e', RUNNER, script.path, ...fourArguments(target)]
    const ended = await run(perl(), { argv, variables: environment }, target, context)
    return 'ok' in ended ? ended : judge(ended)
  },
})

function perl(): Located {
  const found = locateProgram('perl')
  return 'isAbsent' in found ? { why: MISSING } : found
}

function judge({ code, signal, output }: Ended): Answer {
  if (signal !== null || code === null) return down('signal', withOutput(`ended by ${signal}`, output))
  const said = withOutput(`exit ${code}`, output)
  return code === 0 ? up(said) : down('status', said)
}
