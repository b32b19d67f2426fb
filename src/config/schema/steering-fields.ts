/** Keys of a service that decide how a server comes back and how long it stays out: slow start and damping. */
import { marks, z } from '../../check/option-types.js'
import { interval, percent } from './field-types.js'
import { later, mapping, shortOr } from './forms.js'

export const slowStartFields = later(() => ({
  for: interval().prefault('60s').describe('Time from its return to its full weight.'),
  from: percent().prefault('10%').describe('Share of its weight when it returns, at least a weight of 1.'),
}))

export const slowStartNode = shortOr(
  z.union([z.number(), z.string()]).describe('The time alone: 60s.'),
  mapping('slow-start', 'a mapping with for and from', slowStartFields),
  { keys: ['for'], none: true, expected: 'a duration, or a mapping with for and from' },
).register(marks, { shown: 'duration or mapping' })

const changes = () => z.int().min(2).max(100)

export const dampingFields = later(() => ({
  changes: changes()
    .default(5)
    .describe('Changes of its state, up to down or down to up, that hold a server down.'),
  within: interval().prefault('10m').describe('Time within which so many changes count.'),
  hold: interval().prefault('5m').describe('Time for which the server is held down; its checks go on.'),
}))

export const dampingNode = shortOr(
  z.union([changes(), z.literal('none')]).describe('The number of changes alone: 5; or none.'),
  mapping('damping', 'a mapping with changes, within and hold', dampingFields),
  {
    keys: ['changes'],
    none: true,
    expected: 'a number of changes from 2 to 100, or a mapping with changes, within and hold',
  },
).register(marks, { shown: 'number or mapping' })
