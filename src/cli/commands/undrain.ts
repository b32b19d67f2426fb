/** lvsd undrain: ends a drain. */
import { defineCommand } from '../command.js'
import { end, endingOptions, targetArgument } from '../override-command.js'

export const command = defineCommand({
  name: 'undrain',
  summary: 'End a drain',
  details: 'Other overrides of the same target go on; "lvsd enable" ends them all.',
  arguments: targetArgument,
  options: endingOptions,
  examples: [['lvsd undrain web/::3', 'give it new connections again']],
  run: context => end(context, 'undrain', ['drain']),
})
