/** Where an accepted configuration is stored. Imports next to nothing, since all commands load it. */
import { basename, join, resolve } from 'node:path'

/** The state folder if the configuration sets none. */
export const DEFAULT_STATE = '/var/lib/lvsd'

/** Returns `STATE/accepted-lvsd.yaml-1f40fc92da24.json`; the hash of the full path makes it unique. */
export function acceptedPath(state: string, file: string): string {
  // It takes 3 ms to load, and most commands ask for no path.
  const { createHash } = process.getBuiltinModule('node:crypto')
  const hash = createHash('sha256').update(resolve(file)).digest('hex').slice(0, 12)
  return join(
    state,
    `accepted-${basename(file)
      .replaceAll(/[^\w.-]/g, '_')
      .slice(-40)}-${hash}.json`,
  )
}

/** Returns the folder that systemd has created (StateDirectory=), else the default. */
export function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env.STATE_DIRECTORY?.split(':')[0] || DEFAULT_STATE)
}

/** Returns where the state folder of a file is recorded that is not `home`. */
export function pointerPath(home: string, file: string): string {
  return join(home, acceptedPath('', file).replace(/\.json$/, '.place'))
}
