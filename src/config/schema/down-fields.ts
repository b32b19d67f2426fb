/** Keys of a service that decide what becomes of servers that are down: panic and on-down. */
import { marks, z } from '../../check/option-types.js'
import { interval, percent } from './field-types.js'
import { later, mapping, orNull, shortOr } from './forms.js'

export const panicFields = later(() => ({
  share: percent()
    .refine(share => share > 0, { error: 'expected more than 0%' })
    .prefault('50%')
    .describe('Share of the real servers with a weight over 0 that goes down; two at least.'),
  within: interval().prefault('10s').describe('Time within which so many go down.'),
  for: interval()
    .prefault('15m')
    .describe('Time after which the table follows the checks again, at the latest.'),
}))

export const panicNode = shortOr(
  z.union([z.number(), z.string()]).describe('The share alone: 50%.'),
  mapping('panic', 'a mapping with share, within and for', panicFields),
  { keys: ['share'], none: true, expected: 'a share, or a mapping with share, within and for' },
).register(marks, { shown: 'share or mapping' })

const action = (given: 'remove' | 'quiesce') => z.enum(['remove', 'quiesce']).default(given)

export const onDownFields = later(() => ({
  dead: action('remove').describe(
    'A server that is dead: refused, unreachable, no connection in time, no answer to ping.',
  ),
  sick: action('quiesce').describe(
    'One that is down for any other reason: an answer that is wrong, late or cut off.',
  ),
  after: interval()
    .nullable()
    .default(null)
    .describe(
      'Time after which a quiesced server is removed; without it never, with UDP after 5m at the latest.',
    ),
}))

export const onDownNode = orNull(mapping('on-down', 'a mapping with dead, sick and after', onDownFields))
