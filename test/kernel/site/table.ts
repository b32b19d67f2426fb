/** Reads the kernel's table from /proc/net/ip_vs, independently of lvsd's IPVS client. */
import { openSync, readSync } from 'node:fs'
import { addressFromBytes, endpoint } from '../../../src/core/address.js'
import { within } from './namespaces.js'

export interface HeldService {
  /** Scheduler and flags in the kernel's format. */
  readonly attributes: string
  /** Values such as `masq 1`, by keys such as `[fc00::3]:80`, newest first. */
  readonly reals: ReadonlyMap<string, string>
}

/** The table. Keys are `tcp [fc00::1]:80` or `fwmark 1`. */
export type Held = ReadonlyMap<string, HeldService>

const opened = new Map<string, number>()
const buffer = Buffer.alloc(1 << 18)

/**
 * Returns the text without connection counts, which change with traffic. The file stays open, so a read takes two
 * system calls.
 */
export function readText(namespace: string): string {
  return readRaw(namespace).replace(CONNECTIONS, '$1')
}

function readRaw(namespace: string): string {
  const fd = opened.get(namespace) ?? within(namespace, () => openSync('/proc/thread-self/net/ip_vs', 'r'))
  opened.set(namespace, fd)
  let length = 0
  for (let read = -1; read !== 0; length += read)
    read = readSync(fd, buffer, length, buffer.length - length, length)
  return buffer.toString('latin1', 0, length)
}

/** Returns the weight and the numbers of active and inactive connections of a server; null if it is not in the table. */
export function countsOf(
  namespace: string,
  key: string,
): { weight: number; active: number; inactive: number } | null {
  for (const line of readRaw(namespace).split('\n')) {
    const [arrow, server = '', , ...numbers] = line.trim().split(/\s+/)
    if (arrow !== '->' || !/[\]\w]:[\dA-F]{4}$/i.test(server) || readable(server) !== key) continue
    const [weight = 0, active = 0, inactive = 0] = numbers.map(Number)
    return { weight, active, inactive }
  }
  return null
}

const CONNECTIONS = /^( {2}-> \S+ +\S+ +\d+) +\d+ +\d+ *$/gm

export function parseTable(text: string): Held {
  const table = new Map<string, { attributes: string; reals: Map<string, string> }>()
  let reals = new Map<string, string>()
  for (const line of text.split('\n').slice(3)) {
    const [first = '', second = '', ...rest] = line.trim().split(/\s+/)
    if (first === '->') reals.set(readable(second), rest.join(' ').toLowerCase())
    else if (first !== '') {
      reals = new Map()
      const key =
        first === 'FWM' ? `fwmark ${parseInt(second, 16)}` : `${first.toLowerCase()} ${readable(second)}`
      table.set(key, { attributes: rest.join(' '), reals })
    }
  }
  return table
}

/** Converts the kernel's notation, `[fc00:0000:…:0001]:0050` and `C0A80001:0050`, to the usual one. */
function readable(text: string): string {
  const port = parseInt(text.slice(-4), 16)
  const digits = text.slice(0, -5).replace(/[[\]:]/g, '')
  return endpoint(addressFromBytes(Buffer.from(digits, 'hex')), port)
}

export function readTable(namespace: string): Held {
  return parseTable(readText(namespace))
}

/** Returns the table in the short form of the tests: `{ 'tcp [fc00::1]:80': { '[fc00::3]:80': 'route 1000' } }`. */
export function plain(table: Held): Record<string, Record<string, string>> {
  const entries = [...table].map(([key, { reals }]) => [key, Object.fromEntries([...reals].sort())] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Returns a line for each change between two reads: `+ tcp [fc00::1]:80 [fc00::3]:80 masq 1`. The kernel lists the
 * newest server first, so a server that was removed and added again between two reads has moved: `replaced`.
 */
export function changesBetween(before: Held, after: Held): string[] {
  const changes: string[] = []
  for (const [key, service] of after) {
    const old = before.get(key)
    if (!old) changes.push(`+ ${key} ${service.attributes}`)
    else if (old.attributes !== service.attributes)
      changes.push(`~ ${key} ${old.attributes} -> ${service.attributes}`)
    changes.push(...realChanges(key, old?.reals ?? new Map(), service.reals))
  }
  for (const [key, service] of before)
    if (!after.has(key)) changes.push(...realChanges(key, service.reals, new Map()), `- ${key}`)
  return changes
}

function realChanges(
  service: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const changes: string[] = []
  for (const [key, real] of after) {
    const old = before.get(key)
    if (old === undefined) changes.push(`+ ${service} ${key} ${real}`)
    else if (old !== real) changes.push(`~ ${service} ${key} ${old} -> ${real}`)
  }
  for (const [key, old] of before) if (!after.has(key)) changes.push(`- ${service} ${key} ${old}`)
  const order = [...before.keys()].filter(key => after.has(key))
  const moved = [...after.keys()].filter(key => before.has(key)).filter((key, i) => key !== order[i])
  return [...changes, ...moved.map(key => `replaced ${service} ${key}`)]
}
