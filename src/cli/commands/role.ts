/** lvsd role: shows whether this director is active or standby. */
import { fetchRole } from '../../api/client.js'
import { painter } from '../../util/paint.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { defineCommand, EXIT } from '../command.js'
import { roleLines } from '../terminal/role.js'

export const command = defineCommand({
  name: 'role',
  summary: 'Show whether this director is active or standby, since when and why',
  details: `Ends with 0 if it is active, 1 if it is standby, and 3 if no lvsd answers: for scripts. A director without cluster in its
configuration serves alone and is active.`,
  arguments: {},
  options: {
    ...socketOption,
    json: { short: 'j', about: 'as JSON' },
    quiet: { short: 'q', about: 'print nothing; the exit code tells' },
  },
  examples: [
    ['lvsd role', 'role, reason, and what lvsd does with table and checks'],
    ['lvsd role --quiet', 'for scripts: the exit code alone'],
  ],
  async run(context) {
    const { socket, json, quiet } = context.options
    const document = await askDaemon(fetchRole(socketPath(socket, context.env)))
    if (json) context.printData(JSON.stringify(document, null, 2))
    else if (!quiet)
      for (const line of roleLines(document, painter(context.screen.colour))) context.print(line)
    return document.role === 'active' ? EXIT.ok : EXIT.problem
  },
})
