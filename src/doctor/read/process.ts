/** Reads rights and limits of the process that runs the checks. */
import { readProcFile } from '../../system/process-files.js'
import type { ProcessFacts } from '../facts.js'

/** `pid` is null if no daemon runs: then of this process. */
export function readProcess(pid: number | null): ProcessFacts {
  const folder = `/proc/${pid ?? 'self'}`
  const status = readProcFile(`${folder}/status`)
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? '')?.[1]
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readProcFile(`${folder}/limits`) ?? '')?.[1]
  return {
    isDaemon: pid !== null,
    groups: status === null ? null : groupsIn(status),
    capabilities: capabilities === undefined ? null : BigInt(`0x${capabilities}`),
    descriptors:
      limit === undefined ? null : limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit),
  }
}

/** The effective group and the supplementary ones, see proc(5). */
function groupsIn(status: string): readonly number[] {
  const [, , effective] = /^Gid:\s*(\d+)\s+(\d+)/m.exec(status) ?? []
  const others = /^Groups:(.*)$/m.exec(status)?.[1]?.split(/\s+/).filter(Boolean) ?? []
  return [effective ?? '', ...others].filter(Boolean).map(Number)
}
