/** Which overrides would count under a configuration now, for `lvsd plan`. Changes nothing. */
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import type { Override } from '../core/override.js'
import { isEndedEarly, overrideOfWindow, windowAt } from '../core/window.js'
import { readStateFile } from '../storage/state-file.js'
import { isFor, located, ORDER_FORM, type Order } from './command-overrides.js'
import { type EarlyEnd, earlyEndsFor, readEarlyEnds } from './early-ends.js'
import { effectiveOverrides, type OverridesOf } from './effective-overrides.js'
import { isInWindow } from './window-overrides.js'

/**
 * Returns the override of each real server that has one: by commands, from the file of the state folder, and by the
 * windows of this configuration, except for those that an operator has ended early. Maintenance files are not read.
 * Rejects if the file cannot be read.
 */
export async function plannedOverrides(
  services: readonly ResolvedService[],
  path: string,
  now: number,
): Promise<Map<ResolvedReal, Override>> {
  const orders = await readStateFile(path, ORDER_FORM)
  return overridesUnder(services, { orders, earlyEnds: await readEarlyEnds(path), now })
}

export interface Known {
  readonly orders: readonly Order[]
  readonly earlyEnds: readonly EarlyEnd[]
  /** Overrides of other sources. */
  readonly others?: readonly OverridesOf[]
  /** Milliseconds of the wall clock. */
  readonly now: number
}

/** Returns the override of each real server that has one under these services. Pure. */
export function overridesUnder(
  services: readonly ResolvedService[],
  { orders, earlyEnds, others = [], now }: Known,
): Map<ResolvedReal, Override> {
  const given = orders.flatMap(order => {
    const target = located(order, services)
    return target ? [{ ...order, target }] : []
  })
  const commands = (service: ResolvedService, real: ResolvedReal) =>
    given.flatMap(({ target, override }) => (isFor(target, service, real) ? [override] : []))
  const windows = (service: ResolvedService, real: ResolvedReal) => {
    const ended = earlyEndsFor(earlyEnds, service, real)
    return (service.windows ?? []).flatMap(window => {
      const open = isInWindow(window, real) ? windowAt(window, now) : null
      return open && !isEndedEarly(window, open, ended) ? [overrideOfWindow(window, open, now)] : []
    })
  }
  return effectiveOverrides(services, [commands, windows, ...others], now)
}
