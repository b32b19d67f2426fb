/** Finds programs in this network namespace that may change the table or move addresses. */
import { readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { readProcFile } from '../../system/process-files.js'
import type { Program } from '../facts.js'

/** By the name of the process. The kernel cuts it at 15 characters. */
const NAMES: Readonly<Record<string, Program['name']>> = {
  keepalived: 'keepalived',
  pacemakerd: 'pacemaker',
  heartbeat: 'heartbeat',
  'kube-proxy': 'kube-proxy',
  ldirectord: 'ldirectord',
}

/** Null if /proc does not list processes. */
export function readPrograms(): readonly Program[] | null {
  let pids: readonly number[]
  try {
    pids = readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? Number(name) : []))
  } catch {
    return null
  }
  const own = namespaceOf('self')
  const seen = new Set<string>()
  return pids.flatMap(pid => {
    const program = programOf(pid)
    // keepalived has several processes. A namespace that cannot be read counts as this one.
    if (!program || seen.has(program.name) || (namespaceOf(pid) ?? own) !== own) return []
    seen.add(program.name)
    return program
  })
}

function programOf(pid: number): Program | null {
  const comm = readProcFile(`/proc/${pid}/comm`)?.trim() ?? ''
  if (!Object.hasOwn(NAMES, comm) && !/^perl/.test(comm)) return null
  const words = (readProcFile(`/proc/${pid}/cmdline`) ?? '').split('\0')
  const name = /^perl/.test(comm) ? ldirectordIn(words) : NAMES[comm]
  // The command `ldirectord` of lvsd runs in Node and is lvsd itself.
  if (!name || (name === 'ldirectord' && !words.some(word => /^perl[\d.]*$/.test(basename(word)))))
    return null
  return { name, pid, writesTable: writesTable(name, words) }
}

/** The script that perl runs. Its name alone is not enough: `vi ldirectord`. */
function ldirectordIn(words: readonly string[]): Program['name'] | undefined {
  const script = words.slice(1).find(word => word !== '' && !word.startsWith('-'))
  return /^ldirectord(\.perl)?$/.test(basename(script ?? '')) ? 'ldirectord' : undefined
}

function writesTable(name: Program['name'], words: readonly string[]): boolean | null {
  if (name === 'keepalived') return keepalivedWrites(words)
  if (name === 'ldirectord') return true
  return null
}

/** keepalived without virtual servers only moves addresses. */
function keepalivedWrites(words: readonly string[]): boolean | null {
  const option = words.findIndex(word => word === '-f' || word === '--use-file')
  const file = option >= 0 ? (words[option + 1] ?? '') : '/etc/keepalived/keepalived.conf'
  const text = readProcFile(file)
  if (text === null) return null
  if (/^\s*virtual_server\b/m.test(text)) return true
  return /^\s*@?include/m.test(text) ? null : false
}

function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return null
  }
}
