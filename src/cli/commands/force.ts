/** lvsd force: up or down, whatever the checks say. */
import { defineCommand } from '../command.js'
import { give, givingOptions, targetArgument } from '../override-command.js'
import { usageError } from '../parse.js'

export const command = defineCommand({
  name: 'force',
  summary: 'Take a real server for up or down, whatever its checks say',
  details: `"down" treats it as if all checks failed: at weight 0 in a quiescent service, else removed. "up" sends it
clients although its checks fail. "lvsd enable" ends both.`,
  arguments: { ...targetArgument, STATE: { about: 'up or down', choices: ['up', 'down'] } },
  options: givingOptions,
  examples: [
    ["lvsd force web/::3 up --for 10m --reason 'the check is wrong'", 'clients in spite of its checks'],
  ],
  async run(context) {
    const { STATE } = context.arguments
    if (STATE !== 'up' && STATE !== 'down') throw usageError(`a state is up or down, not "${STATE}"`, 'force')
    return give(context, 'force', { kind: STATE === 'up' ? 'force-up' : 'force-down' })
  },
})
