/** An override as the status document and the answers of the control socket have it. */
import type { Override } from '../core/override.js'
import type { OverrideStatus } from './status-types.js'

export function overrideStatus(override: Override): OverrideStatus
export function overrideStatus(override: Override | null): OverrideStatus | null
export function overrideStatus(override: Override | null): OverrideStatus | null {
  if (!override) return null
  const { effect, source, who, reason, since, until, folder } = override
  const ramp = effect.kind === 'drain' ? effect.ramp : undefined
  return {
    effect: effect.kind,
    weight: effect.kind === 'weight' ? effect.weight : null,
    source,
    who,
    reason,
    since: new Date(since).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
    rampUntil: ramp ? new Date(ramp.since + ramp.ms).toISOString() : null,
    ...(folder?.trouble && { folderTrouble: folder.trouble }),
  }
}
