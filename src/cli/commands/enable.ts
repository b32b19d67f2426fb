/** lvsd enable: ends all overrides that commands have given. */
import { defineCommand } from '../command.js'
import { ALL_EFFECTS, end, endingOptions, targetArgument } from '../override-command.js'

export const command = defineCommand({
  name: 'enable',
  summary: 'End all overrides that commands have given to a real server or a service',
  details: `What remains is shown, with the command that ends it: a maintenance window (lvsd windows end), a file of the
maintenance folder, or an override of the service as a whole. The exit code is 1 if no override has ended and one is still in force. For a
service, the overrides that were given to single servers of it remain.`,
  arguments: targetArgument,
  options: endingOptions,
  examples: [['lvsd enable web/::3', 'its checks decide again']],
  run: context => end(context, 'enable', [...ALL_EFFECTS]),
})
