/** lvsd disable: a real server out of the table. */
import { defineCommand } from '../command.js'
import { give, givingOptions, targetArgument } from '../override-command.js'

export const command = defineCommand({
  name: 'disable',
  summary: 'Take a real server out of the table, whatever its checks say',
  details: `Its connections end as the kernel ends those of a removed server; "lvsd drain" first lets them come to
their end. Checks go on. "lvsd enable" ends it.`,
  arguments: targetArgument,
  options: givingOptions,
  examples: [["lvsd disable web/::3 --reason 'new kernel' --for 1h", 'out for an hour']],
  run: context => give(context, 'disable', { kind: 'disable' }),
})
