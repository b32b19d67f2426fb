/**
 * Definition of a scenario, and expansion of its texts. A scenario is written once and runs for IPv6 and IPv4 at the
 * same time, in one file: `virtual=V1:80` becomes `virtual6=[fd00:f:1::1]:80` and `virtual=10.15.1.1:80`.
 *
 * In all texts V1 to V3 are virtual addresses, M1 and M2 firewall marks, R1 to R3 real servers, F the fallback server, G
 * the global fallback server, r1-SLOT.lab the name of R1, and DIR the folder of the batch. `{a|b}` means a for IPv6 and
 * b for IPv4.
 */
import type { Family } from '../../src/core/address.js'
import type { Mood } from './servers.js'
import { type Site, tableLines } from './site.js'

export const FAMILIES = ['ipv6', 'ipv4'] as const

/** Scenarios that share a file and the two daemons, because a start takes longest. Their steps run at the same time. */
export interface Batch {
  readonly name: string
  /** Global lines of the file. Lines for short times are added. */
  readonly globals?: string
  /** Files in the folder, by name. All are executable. */
  readonly files?: Readonly<Record<string, string>>
  /** No signal is sent after a change of the file: `autoreload` must detect it. */
  readonly isUnsignalled?: true
  /** Environment of both daemons. */
  readonly environment?: Readonly<Record<string, string>>
  readonly scenarios: readonly Scenario[]
}

export interface Scenario {
  readonly name: string
  readonly site: Site
  /**
   * Table before the start of both daemons, as commands of ipvsadm. The default is the table of the first step with its
   * common attributes only. With existing servers ldirectord need not add, remove and add them again.
   */
  readonly before?: string
  /** Families to run the scenario for; both by default. */
  readonly families?: readonly Family[]
  /** The first step begins with the start of both daemons. */
  readonly steps: readonly Step[]
}

export interface Step {
  /** Description: a phrase in the present tense. */
  readonly what: string
  /** New behaviour of R1, R2, R3 and F. All are up at the beginning. */
  readonly servers?: Readonly<Record<string, Mood>>
  /** Files to write in the folder, or to remove (null). */
  readonly files?: Readonly<Record<string, string | null>>
  /** The sections of this site replace those of the scenario, and both daemons receive SIGHUP. */
  readonly reload?: Site
  /** Both daemons receive SIGTERM and end. */
  readonly stop?: true
  /** The expected tables. */
  readonly table: string
  /** Expected notifications of both during this step, one per line, in any order. By default any are accepted. */
  readonly told?: string
  /** Intended differences of ldirectord, from section 21 of its inventory. */
  readonly ldirectord?: Difference | readonly Difference[]
}

export interface Difference {
  readonly because: string
  /** Families with the difference; both by default. */
  readonly families?: readonly Family[]
  /**
   * ldirectord's table; by default that of the step. Null accepts any table, because it changes by itself or ldirectord
   * has ended.
   */
  readonly table?: string | null
  /** ldirectord's notifications, with the same rules. */
  readonly told?: string | null
}

/** Returns the addresses of one scenario. Each scenario of a batch has different ones. */
export function addresses(slot: number, family: Family): Readonly<Record<string, string>> {
  const at = (net: { ipv6: string; ipv4: string }, host: number) =>
    family === 'ipv6' ? `${net.ipv6}::${host}` : `${net.ipv4}.${host}`
  const virtual = { ipv6: `fd00:f:${slot}`, ipv4: `10.15.${slot}` }
  const real = { ipv6: `fd00:1:${slot}`, ipv4: `10.1.${slot}` }
  return {
    ...Object.fromEntries([1, 2, 3].map(n => [`V${n}`, at(virtual, n)])),
    ...Object.fromEntries([1, 2, 3].map(n => [`R${n}`, at(real, 10 + n)])),
    F: at(real, 99),
    G: family === 'ipv6' ? 'fd00:1:ff::99' : '10.1.255.99',
  }
}

/** True if a line of a table belongs to the scenario. */
export function isOfSlot(line: string, slot: number): boolean {
  const mark = /^fwmark (\d+)\d /.exec(line)
  if (mark) return Number(mark[1]) === slot
  return line.includes(`[fd00:f:${slot}:`) || line.includes(` 10.15.${slot}.`)
}

/** True if a line of notifications is about the scenario, or about no particular one. */
export function isAboutSlot(line: string, slot: number): boolean {
  const slots = [...line.matchAll(/fd00:(?:f|1):(\d+):|\b10\.(?:15|1)\.(\d+)\./g)].map(
    ([, six, four]) => six ?? four,
  )
  return slots.length === 0 || slots.includes(String(slot))
}

export interface Place {
  /** Number of the scenario, from 1. */
  readonly slot: number
  /** The folder of the batch. */
  readonly folder: string
}

/** Returns the copy of a text for one family: names become addresses, with brackets for IPv6. */
export function written(text: string, family: Family, { slot, folder }: Place): string {
  const known = addresses(slot, family)
  return text
    .replaceAll(/\{([^{}|]*)\|([^{}]*)\}/g, family === 'ipv6' ? '$1' : '$2')
    .replaceAll('DIR', folder)
    .replaceAll('SLOT', String(slot))
    .replaceAll(/\bM([12])\b/g, `${slot}$1`)
    .replaceAll(/\b(V[123]|R[123]|F|G)\b(?=[:\s>/]|$)/g, name =>
      family === 'ipv6' ? `[${known[name]}]` : (known[name] as string),
    )
}

/** Returns the global part of the file. */
export function globalsOf(globals: string, place: Place): string {
  const lay = FAMILIES.map(family => inFamily(unindented(globals), family, place))
  // Lines that do not depend on the family are equal in all copies, and are written once.
  const once = new Set(lay.join('').split('\n'))
  return [OURS, ...once].join('\n')
}

/** Returns the part of the file for a scenario. */
export function sectionsOf(sections: string, families: readonly Family[], place: Place): string {
  return families.map(family => inFamily(unindented(sections), family, place)).join('')
}

/** Settings for short times and the foreground. */
const OURS = 'checkinterval=1\nchecktimeout=2\nnegotiatetimeout=2\nsupervised=yes'

/** Returns the copy for one family, with ldirectord's directives for IPv6 (`virtual6`, `real6`, `fallback6`). */
function inFamily(text: string, family: Family, place: Place): string {
  const copy = written(text, family, place)
  return family === 'ipv6' ? copy.replaceAll(/^(\s*)(virtual|real|fallback)(?=\s*=)/gm, '$1$26') : copy
}

/** Returns the lines of a table, each with its service, sorted: `tcp V1:80 | R1:80 masq 5`. */
export function tableOf(text: string, families: readonly Family[], place: Place): string[] {
  return families.flatMap(family => linesOf(text, family, place)).sort()
}

/** Returns the lines of notifications, sorted. */
export function toldOf(text: string, families: readonly Family[], place: Place): string[] {
  const copies = families.map(family => written(unindented(text), family, place))
  return copies
    .flatMap(copy => copy.split('\n'))
    .filter(line => line !== '')
    .sort()
}

/** Returns the lines of a table for one family. The family is added to firewall marks. */
function linesOf(text: string, family: Family, place: Place): string[] {
  return tableLines(text).map(line => written(line, family, place).replace(/^(fwmark \d+)/, `$1 ${family}`))
}

/** Removes the indentation of the text in its source. */
export function unindented(text: string): string {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  const margin = Math.min(...lines.map(line => /^\s*/.exec(line)?.[0].length ?? 0))
  return lines.map(line => `${line.slice(margin)}\n`).join('')
}

/** Returns commands of ipvsadm that create the services and servers of a table. */
export function restoring(text: string, family: Family, place: Place): string {
  return linesOf(text, family, place)
    .map(line => {
      const [service = '', real] = line.split(' | ')
      const [kind, id, ...rest] = service.split(' ')
      const mark = `-f ${id}${family === 'ipv6' ? ' -6' : ''}`
      const virtual = kind === 'fwmark' ? mark : `-${kind === 'udp' ? 'u' : 't'} ${id}`
      if (real === undefined) return `-A ${virtual} -s ${kind === 'fwmark' ? rest[1] : rest[0]}\n`
      const [address, forwarding = '', weight] = real.split(' ')
      return `-a ${virtual} -r ${address} -${forwarding.slice(0, 1)} -w ${weight}\n`
    })
    .join('')
}
