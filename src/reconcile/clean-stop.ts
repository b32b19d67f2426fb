/** Removes the services with `cleanstop` when lvsd stops, and those of its own, in one batch. */
import { diff } from '../core/diff.js'
import { idsOf } from '../core/kernel-services.js'
import { type Change, keyOfService, type ResolvedService, type ServiceId } from '../core/model.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'

export interface CleanStopParts {
  readonly kernel: Kernel
  readonly journal: Journal
  readonly log: Log
  /** True for a service of lvsd's own, which nobody else uses. */
  isInternal?(id: ServiceId): boolean
  /** Called with the changes that the kernel has accepted. */
  onApplied(changes: readonly Change[]): void
}

export async function cleanStop(
  services: readonly ResolvedService[],
  { kernel, journal, log, onApplied, isInternal = () => false }: CleanStopParts,
): Promise<void> {
  const internal = journal.services.filter(isInternal)
  const configured = services.filter(service => service.cleanstop).flatMap(idsOf)
  const ids = [...configured, ...internal]
  if (configured.length === 0) log.info('table.kept', {}, 'the table stays as it is')
  if (ids.length === 0) return
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
  const count = done.filter(({ id }) => !isInternal(id)).length
  if (configured.length > 0)
    log.info('table.cleaned', { services: count }, 'services with cleanstop are removed')
}
