/** Reads what doctor must know of a configuration. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Check } from '../../check/check.js'
import { examineRedis, type RedisExamination } from '../../cluster/redis/examine.js'
import type { Problem } from '../../config/problems/problem.js'
import type { ResolvedConfig } from '../../core/model.js'
import { type Job, jobsOf } from '../../health/jobs.js'
import { type CheckSources, openCheckSources } from '../../schedule/check-sources.js'
import type { Folder, Site } from '../facts.js'
import { readConflicts } from './conflicts.js'
import { readLeftServices } from './left-services.js'
import { readPathLinks } from './path-links.js'
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
  // A check with a source of its own does not depend on what the kernel chooses.
  const asked = jobs.filter(
    ({ answer, use, path }) => answer === null && path === null && typeof use.source !== 'object',
  )
  const unbound = new Set(
    asked.flatMap(({ use, target }) => (use.source === 'kernel' ? target.address.text : [])),
  )
  return {
    file,
    config,
    isReadable: !problems.some(({ code, file: at }) => code === 'FILE_UNREADABLE' && at === file),
    errors: count('error'),
    warnings: count('warning'),
    checks: jobs.length,
    pings: jobs.filter(isPing).length,
    sources: await bySources(config, sources =>
      readSources(
        asked.map(({ target }) => target.address),
        server => (unbound.has(server.text) ? null : (sources?.of(server) ?? null)),
      ),
    ),
    pathLinks: readPathLinks(jobs.flatMap(({ path }) => path ?? [])),
    folders: config ? foldersOf(config) : [],
    conflicts: config && (await readConflicts(config)),
    redis: await redisOf(config),
    leftServices: config && (await readLeftServices(config)),
  }
}

async function redisOf(config: ResolvedConfig | null): Promise<RedisExamination | null> {
  const { site, redis = null } = config?.cluster ?? {}
  return redis && site !== undefined ? examineRedis(site, redis) : null
}

/** Calls `read` with what chooses the sources of checks in the daemon; null if the kernel cannot be asked. */
async function bySources<T>(
  config: ResolvedConfig | null,
  read: (sources: CheckSources | null) => Promise<T>,
): Promise<T> {
  const sources = config && openCheckSources(config.services)
  try {
    return await read(sources)
  } finally {
    sources?.close()
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
