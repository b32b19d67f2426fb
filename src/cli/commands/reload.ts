/** lvsd reload: makes the daemon read its configuration again. */
import { requestReload } from '../../api/client.js'
import type { ReloadOutcome } from '../../api/status-types.js'
import { errorsIn, inOneLine } from '../../config/problems/problem.js'
import { renderProblem } from '../../config/problems/render-one.js'
import { painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { defineCommand, EXIT } from '../command.js'

export const command = defineCommand({
  name: 'reload',
  summary: 'Let the running lvsd read its configuration again, and say what came of it',
  details: `The same as SIGHUP or "systemctl reload lvsd", but it waits for the outcome and prints it.
A configuration with an error changes nothing: what runs goes on. So does one that would remove more than
removal-limit of the real servers, or any of them while an included file has become empty, unless --force says that
this is meant; an ldirectord.cf, which has no such limit, is refused where it is cut off.`,
  arguments: {},
  options: {
    ...socketOption,
    force: {
      short: 'f',
      about: 'also when it removes more real servers than removal-limit allows, or an included file is empty',
    },
    json: { short: 'j', about: 'the outcome as JSON' },
  },
  examples: [
    ['lvsd reload', 'take the changed file'],
    ['lvsd reload --force', 'although it removes most of the servers'],
  ],
  async run(context) {
    const path = socketPath(context.options.socket, context.env)
    const outcome = await askDaemon(requestReload(path, context.options.force))
    if (context.options.json) context.printData(JSON.stringify(outcome, null, 2))
    else {
      for (const problem of outcome.problems) context.print(renderProblem(problem, '', context.screen))
      const message = printable(withoutProblem(outcome))
      context.print(painter(context.screen.colour)(outcome.ok ? 'green' : 'red', message))
    }
    return outcome.ok ? EXIT.ok : EXIT.problem
  },
})

/** Returns the message. If it repeats a problem, which is told above, it gives the number of errors instead. */
function withoutProblem({ message, problems }: ReloadOutcome): string {
  const again = problems.map(inOneLine).find(text => message.startsWith(text))
  if (again === undefined) return message
  return `${counted(errorsIn(problems).length, 'error')}${message.slice(again.length).replace(/^ \(and .*?\)/, '')}`
}
