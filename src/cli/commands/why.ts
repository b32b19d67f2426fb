/** lvsd why: says why a real server or a service is as it is. */
import { fetchWhy } from '../../api/client.js'
import { WHY_SCHEMA } from '../../api/versions.js'
import type { WhyDocument } from '../../api/why-types.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { defineCommand, EXIT } from '../command.js'
import { namedTargets } from '../named-targets.js'
import { usageError } from '../parse.js'
import { renderWhy } from '../terminal/why.js'

/** A word that means more than this gets the advice to look at the status. */
const MOST = 100

export const command = defineCommand({
  name: 'why',
  summary: 'Say why a real server is as it is, and what would change that',
  details: `For a real server: in one sentence what is so, since when, why, and what would change it; then each check with what it
expects, its last results with the time of each phase, and how many results it takes; the overrides; and what the
kernel holds. For a service: why its fallback is in or out, and a sentence for each real server that is not in service
as configured.

- RESULTS: the newest first. Results that are alike in a row are one line with their number.
- Quote brackets: a shell takes them for a pattern.

--json gives the same; its field "schema" (1) increases when a field changes its meaning or is removed.`,
  arguments: {
    TARGET: { about: "a real server, 'web/[fd00::3]:80' or web/::3; or a service, web" },
  },
  options: { ...socketOption, json: { short: 'j', about: 'the answer as JSON' } },
  examples: [
    ['lvsd why web/::3', 'the shortest end of an address that only one server has'],
    ["lvsd why 'web/[fd00::3]:80'", 'its whole name'],
    ['lvsd why web', 'which servers are out, and why is the fallback in'],
  ],
  async run(context) {
    const { TARGET } = context.arguments
    const path = socketPath(context.options.socket, context.env)
    const targets = await namedTargets(path, TARGET, 'why')
    if (targets.length > MOST)
      throw usageError(`"${TARGET}" means ${targets.length} services; name one of them`, 'why')
    const answers = await askDaemon(Promise.all(targets.map(target => fetchWhy(path, target))))
    const now = Date.now()
    const document: WhyDocument = { schema: WHY_SCHEMA, now: new Date(now).toISOString(), answers }
    if (context.options.json) context.printData(JSON.stringify(document, null, 2))
    else context.print(renderWhy(document, { ...context.screen, now }))
    return EXIT.ok
  },
})
