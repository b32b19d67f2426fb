/** The daemon as the API asks it. */
import type { Control } from '../api/control.js'
import { windowsDocument } from '../api/windows-document.js'
import type { WindowOverrides } from '../overrides/window-overrides.js'
import type { ConfigApplier } from './config-applier.js'

export interface ControlParts {
  readonly daemon: Omit<Control, 'isReady' | 'windows'>
  readonly applier: Pick<ConfigApplier, 'config'>
  readonly windows: Pick<WindowOverrides, 'endedEarly'>
  isReady(): boolean
}

export function controlOf({ daemon, applier, windows, isReady }: ControlParts): Control {
  const { overrides, why, events, recheck, connections, metrics } = daemon
  return {
    status: () => daemon.status(),
    reload: isForced => daemon.reload(isForced),
    overrides,
    why,
    events,
    recheck,
    connections,
    metrics,
    isReady,
    windows: () => windowsDocument(applier.config, windows),
  }
}
