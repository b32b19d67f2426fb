/** Settles `on-down` and `quiescent`, its short form. */
import type { Service } from '../../core/model.js'
import type { Context, DefaultsFields, ServiceFields } from './context.js'

type Keys = Pick<Service, 'onDown' | 'quiescent'>

/**
 * Returns both keys: `onDown` as it is in force, and whether a server that is down can be in the table at weight 0. The
 * nearer key counts, so that a service can have the one where `defaults` has the other.
 */
export function settleOnDown(
  { onDown, quiescent }: Keys,
  own: ServiceFields,
  defaults: DefaultsFields,
  { report }: Context,
): Keys {
  for (const layer of [own, defaults]) {
    const at = layer.entry('on-down')?.keyAt
    if (at && layer.entry('quiescent'))
      report.error(
        'ON_DOWN_TWICE',
        at,
        'on-down and quiescent decide the same: write one of them (quiescent: true is on-down: { dead: quiesce, sick: quiesce })',
      )
  }
  const isNearer = !own.entry('on-down') && own.entry('quiescent') !== undefined
  if (!onDown || isNearer) return { onDown: null, quiescent }
  return { onDown, quiescent: onDown.dead === 'quiesce' || onDown.sick === 'quiesce' }
}
