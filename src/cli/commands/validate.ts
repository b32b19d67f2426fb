/** lvsd validate: prints all problems of a configuration. */

import { loadConfig } from '../../config/load.js'
import { countProblems, hasErrors, type Problem } from '../../config/problems/problem.js'
import { renderProblems } from '../../config/problems/render-problem.js'
import type { Config } from '../../core/model.js'
import { painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { configArgument, defineCommand, EXIT } from '../command.js'

export const command = defineCommand({
  name: 'validate',
  summary: 'Find everything that is wrong with a configuration',
  details: `Reads YAML or an ldirectord.cf and prints every problem with file, line, column and a stable code.
Errors keep a configuration from running; warnings and notes do not, unless --strict counts warnings as errors. Touches neither the kernel nor the network.`,
  arguments: configArgument,
  options: {
    json: { short: 'j', about: 'the problems as JSON' },
    strict: { about: 'warnings count as errors: the exit code is 1' },
  },
  examples: [
    ['lvsd validate /etc/lvsd/lvsd.yaml', 'before a reload'],
    ['lvsd validate --strict lvsd.yaml', 'before a commit: nothing may be doubtful'],
    ['lvsd validate /etc/ha.d/ldirectord.cf', 'what lvsd makes of a file of ldirectord'],
  ],
  async run(context) {
    const file = context.arguments.CONFIG
    const loaded = await loadConfig(file)
    const { strict } = context.options
    const isValid =
      loaded.config !== null &&
      loaded.problems.every(({ severity }) => severity === 'note' || (severity === 'warning' && !strict))
    if (context.options.json) {
      const counts = loaded.config && countsOf(loaded.config)
      context.printData(JSON.stringify({ ok: isValid, file, ...counts, problems: loaded.problems }, null, 2))
    } else {
      const { colour } = context.screen
      if (loaded.problems.length > 0) context.print(`${renderProblems(loaded, { colour }).trimEnd()}\n`)
      const summary = summaryOf(file, loaded.config, loaded.problems, { strict })
      context.print(painter(colour)(isValid ? 'green' : 'red', summary))
    }
    return isValid ? EXIT.ok : EXIT.problem
  },
})

/** Returns one line: valid or not, content, number of problems. */
export function summaryOf(
  file: string,
  config: Config | null,
  problems: readonly Problem[],
  { strict = false } = {},
): string {
  const found = countProblems(problems)
  if (config === null || hasErrors(problems)) return `${file} cannot run: ${found}`
  if (strict && problems.some(({ severity }) => severity === 'warning'))
    return `${file} can run, but not with --strict: ${found}`
  const { services, reals, checks } = countsOf(config)
  const size = `${counted(services, 'service')}, ${counted(reals, 'real server')}, ${counted(checks, 'check')}`
  return `${file} is valid: ${size}${found === '' ? '' : `; ${found}`}`
}

function countsOf({ services }: Config) {
  const reals = services.flatMap(service => service.reals)
  const checks = reals.reduce((sum, real) => sum + real.checks.length, 0)
  return { services: services.length, reals: reals.length, checks }
}
