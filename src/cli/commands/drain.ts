/** lvsd drain: no new connections to a real server; those that it has live on. */
import { defineCommand } from '../command.js'
import { give, givingOptions, targetArgument } from '../override-command.js'

export const command = defineCommand({
  name: 'drain',
  summary: 'Give a real server no new connections; those that it has live on',
  details: `The real server gets weight 0, whatever its checks say, and does not keep the fallback out. The override
survives a reload, a restart and a reboot, and ends by "lvsd undrain", "lvsd enable" or at its end.
Quote brackets: a shell takes them for a pattern.`,
  arguments: targetArgument,
  options: givingOptions,
  examples: [
    ["lvsd drain 'web/[fd00::3]:80' --reason 'disk swap'", 'until somebody ends it'],
    ['lvsd drain web/::3 --for 2h', 'the shortest end of an address that only one server has'],
    ['lvsd drain web --until 06:00 --yes', 'all real servers of a service'],
  ],
  run: context => give(context, 'drain', { kind: 'drain' }),
})
