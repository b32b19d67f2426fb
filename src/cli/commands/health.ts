/** lvsd health: whether this director can serve, for keepalived's vrrp_script and its kin. */
import { fetchHealth } from '../../api/client.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { defineCommand, EXIT } from '../command.js'
import { healthLine } from '../health/line.js'

export const command = defineCommand({
  name: 'health',
  summary: 'Say whether this director can serve, by an exit code for keepalived',
  details: `Ends with 0 if the running lvsd has corrected the table, has its network (connectivity in the configuration) and, for the
services that are named, has an available real server; else with 1. With --role a standby is 1, too. 3: no lvsd answers
within two seconds. Servers that are not judged yet count as available, unless their checks have had no verdict for ten
seconds and the table has none of them.

    vrrp_script lvsd { script "/usr/local/bin/lvsd health"; interval 1; timeout 3; fall 2; rise 2; weight -50 }

With services in it, both directors fail when all servers of one are down; a script then moves nothing, but in a
sync group and without a weight both give the addresses up.`,
  arguments: {
    SERVICE: {
      about: 'these services must have an available real server: web, or several, web,mail',
      optional: true,
    },
  },
  options: {
    ...socketOption,
    role: { about: 'only the active director is good' },
    json: { short: 'j', about: 'as JSON' },
    quiet: { short: 'q', about: 'print nothing; the exit code tells' },
  },
  examples: [
    ['lvsd health', 'can this director serve?'],
    ['lvsd health web,mail', 'and has each of these services a server?'],
    ['lvsd health --role --quiet', 'is it the active one, and can it serve?'],
  ],
  async run(context) {
    const { socket, role, json, quiet } = context.options
    const path = socketPath(socket, context.env)
    const document = await askDaemon(fetchHealth(path, context.arguments.SERVICE ?? null))
    const { isGood, text } = healthLine(document, { role, json, quiet })
    if (text !== null) (json ? context.printData : context.print)(text)
    return isGood ? EXIT.ok : EXIT.problem
  },
})
