/** Reads which modules the kernel has, and which could be loaded. */
import { existsSync, readdirSync } from 'node:fs'
import { release } from 'node:os'
import { basename, join } from 'node:path'
import { readProcFile } from '../../system/process-files.js'
import type { Modules } from '../facts.js'

/** Folders with the modules of kernels, one folder for each release. */
const PLACES = ['/lib/modules', '/usr/lib/modules']

/** True if IPVS is in the kernel; null if /proc is not readable. */
export function hasIpvs(): boolean | null {
  if (existsSync('/proc/net/ip_vs')) return true
  return readProcFile('/proc/net/dev') === null ? null : false
}

export function readModules(places: readonly string[] = PLACES): Modules {
  const folder = places.map(place => join(place, release())).find(existsSync)
  const loaded = readProcFile('/proc/modules')
  // A kernel without loadable modules has no /proc/modules: what is not built in is not there.
  const names = (loaded ?? '').split('\n').flatMap(line => line.split(' ')[0] || [])
  const builtIn = folder && readProcFile(join(folder, 'modules.builtin'))
  const present = loaded === null && !builtIn ? null : new Set([...names, ...namesIn(builtIn ?? '')])
  return { present, installed: folder === undefined ? null : installedIn(folder) }
}

function installedIn(folder: string): ReadonlySet<string> | null {
  const listed = readProcFile(join(folder, 'modules.dep'))
  if (listed !== null) return new Set(namesIn(listed.replaceAll(/:.*$/gm, '')))
  try {
    return new Set(namesIn(readdirSync(folder, { recursive: true, encoding: 'utf8' }).join('\n')))
  } catch {
    return null
  }
}

/** Returns the module names of lines such as `kernel/net/netfilter/ipvs/ip_vs.ko.xz`. */
function namesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap(line => /^(.+)\.ko(?:\.\w+)?$/.exec(basename(line.trim()))?.[1]?.replaceAll('-', '_') ?? [])
}
