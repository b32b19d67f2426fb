/** Connects the checks through paths of services with the parts of the daemon. */
import type { ResolvedConfig } from '../core/model.js'
import { DEFAULT_MARKS } from '../core/service-path.js'
import type { HealthStore } from '../health/health-store.js'
import type { Paths } from '../netlink/paths.js'
import { PathOwner } from '../reconcile/path-owner.js'
import { steadyNow } from '../util/clock.js'
import { PathAnswers } from './path-answers.js'
import { ServicePaths, type ServicePathsParts } from './service-paths.js'

export interface ServicePathsSettings extends Pick<ServicePathsParts, 'journal' | 'kernel' | 'onMissing'> {
  readonly kernelName: 'netlink' | 'memory'
  /** Null: what becomes of answers is not known. */
  readonly paths: Paths | null
  config(): ResolvedConfig
  store(): HealthStore
}

export function openServicePaths({
  kernelName,
  paths,
  config,
  store,
  ...parts
}: ServicePathsSettings): ServicePaths {
  const isForwarding = kernelName === 'netlink'
  return new ServicePaths({
    ...parts,
    isForwarding,
    owner: isForwarding ? new PathOwner() : null,
    answers: paths && new PathAnswers({ paths, now: steadyNow }),
    range: () => config().settings.marks ?? DEFAULT_MARKS,
    jobs: () => store().jobs,
    isSettled: (id, ok) => store().isSettled(id, ok),
    now: steadyNow,
  })
}
