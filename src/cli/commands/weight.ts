/** lvsd weight: another weight than the configured one. */
import { MAX_WEIGHT } from '../../core/model.js'
import { defineCommand } from '../command.js'
import { give, givingOptions, targetArgument } from '../override-command.js'
import { usageError } from '../parse.js'

export const command = defineCommand({
  name: 'weight',
  summary: 'Give a real server another weight than the configured one',
  details: `The weight counts while the server is up, also against the advice of a check. At 0 the server does not keep
the fallback out. "lvsd enable" ends it.`,
  arguments: { ...targetArgument, WEIGHT: { about: `0 to ${MAX_WEIGHT}`, isNumber: true } },
  options: givingOptions,
  examples: [['lvsd weight web/::3 5 --for 30m', 'half an hour of less']],
  async run(context) {
    const { WEIGHT } = context.arguments
    const weight = /^\d+$/.test(WEIGHT) ? Number(WEIGHT) : Number.NaN
    if (!(weight <= MAX_WEIGHT))
      throw usageError(`a weight is a whole number from 0 to ${MAX_WEIGHT}, not "${WEIGHT}"`, 'weight')
    return give(context, 'weight', { kind: 'weight', weight })
  },
})
