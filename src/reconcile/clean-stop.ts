/** Removes the services with `cleanstop` when lvsd stops, in one batch. */
import { diff } from '../core/diff.js'
import { idsOf } from '../core/kernel-services.js'
import { type Change, keyOfService, type ResolvedService } from '../core/model.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'

export interface CleanStopParts {
  readonly kernel: Kernel
  readonly journal: Journal
  readonly log: Log
  /** Called with the changes that the kernel has accepted. */
  onApplied(changes: readonly Change[]): void
}

export async function cleanStop(
  services: readonly ResolvedService[],
  { kernel, journal, log, onApplied }: CleanStopParts,
): Promise<void> {
  const ids = services.filter(service => service.cleanstop).flatMap(idsOf)
  if (ids.length === 0) return log.info('table.kept', {}, 'the table stays as it is')
  const keys = new Set(ids.map(keyOfService))
  const { table } = await kernel.dump(new Map(ids.map(id => [keyOfService(id), { id, reals: new Map() }])))
  const ours = new Map([...table].filter(([key]) => keys.has(key)))
  const changes = diff(new Map(), ours, keys)
  const outcomes = await kernel.apply(changes)
  for (const outcome of outcomes)
    if (outcome) log.error('kernel.refused', { kernel: outcome.message }, 'the kernel refused a change')
  const done = changes.filter((_, i) => !outcomes[i])
  onApplied(done)
  journal.record({ remove: done.map(change => change.id) })
  log.info('table.cleaned', { services: done.length }, 'services with cleanstop are removed')
}
