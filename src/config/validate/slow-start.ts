/** Reports a slow start that cannot have an effect. */
import type { Service } from '../../core/model.js'
import { sharedWeight } from '../../core/slow-start.js'
import { mergeLayers } from '../read/layers.js'
import { plainServiceFields } from '../schema/schema.js'
import type { Context, DefaultsFields, ServiceFields } from './context.js'

/** Schedulers of the kernel for which a weight is only 0 or not 0, with what to write instead. */
const WITHOUT_WEIGHTS: Readonly<Record<string, string>> = {
  rr: ': write wrr',
  lc: ': write wlc',
  dh: '',
}

export function judgeSlowStart(
  { slowStart, attributes, reals }: Pick<Service, 'slowStart' | 'attributes' | 'reals'>,
  own: ServiceFields,
  defaults: DefaultsFields,
  { report }: Context,
): void {
  const { entry } = mergeLayers({ 'slow-start': plainServiceFields['slow-start'] }, [own, defaults])
  const at = entry('slow-start')?.keyAt
  if (!slowStart || !at || reals.length === 0) return
  const { scheduler } = attributes
  const instead = WITHOUT_WEIGHTS[scheduler]
  if (instead !== undefined)
    report.warn(
      'SLOW_START_IDLE',
      at,
      `slow-start has no effect with the scheduler ${scheduler}, which does not use weights${instead}`,
    )
  else if (reals.every(({ attributes: { weight } }) => sharedWeight(weight, slowStart.from / 100) === weight))
    report.warn(
      'SLOW_START_IDLE',
      at,
      'slow-start has no effect: the weights of the real servers are too small for steps; use weights of 10 or more',
    )
}
