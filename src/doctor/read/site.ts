/** Reads what doctor must know of a configuration. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Check } from '../../check/check.js'
import type { Problem } from '../../config/problems/problem.js'
import type { ResolvedConfig } from '../../core/model.js'
import { type Job, jobsOf } from '../../health/jobs.js'
import type { Folder, Site } from '../facts.js'
import { readSources } from './sources.js'

export interface SiteInput {
  readonly file: string
  /** Null if it cannot run. */
  readonly config: ResolvedConfig | null
  readonly checks: ReadonlyMap<string, Check>
  readonly problems: readonly Problem[]
}

export async function readSite({ file, config, checks, problems }: SiteInput): Promise<Site> {
  const count = (wanted: Problem['severity']) => problems.filter(({ severity }) => severity === wanted).length
  const jobs = config ? [...jobsOf(config, checks).jobs.values()] : []
  const targets = jobs.filter(({ answer }) => answer === null).map(({ target }) => target.address)
  return {
    file,
    config,
    isReadable: !problems.some(({ code, file: at }) => code === 'FILE_UNREADABLE' && at === file),
    errors: count('error'),
    warnings: count('warning'),
    checks: jobs.length,
    pings: jobs.filter(isPing).length,
    sources: await readSources(targets),
    folders: config ? foldersOf(config) : [],
  }
}

/** True if the check is a ping. No function of a user's check is called. */
function isPing({ check, target, use }: Job): boolean {
  if (check.origin === 'user') return false
  try {
    return check.probe?.(target, use.options)?.kind === 'icmp'
  } catch {
    return false
  }
}

function foldersOf({ settings }: ResolvedConfig): readonly Folder[] {
  return [
    { use: 'state', path: settings.state, found: folderAt(settings.state) },
    { use: 'socket', path: dirname(settings.socket), found: folderAt(dirname(settings.socket)) },
  ]
}

function folderAt(path: string): Folder['found'] {
  try {
    const { mode, uid } = statSync(path)
    return { mode, owner: uid }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : null
  }
}
