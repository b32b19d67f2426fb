/**
 * What a scenario is, and how its texts are laid out. Each is written once and run for IPv6 and IPv4 at the same time, in
 * one file: `virtual=V1:80` becomes `virtual6=[fd00:f:1::1]:80` and `virtual=10.15.1.1:80`.
 *
 * In all texts V1 to V3 are virtual addresses, M1 and M2 firewall marks, R1 to R3 real servers, F the fallback server,
 * G that of all scenarios, and r1-SLOT.lab the name of R1; `{a|b}` is a for IPv6 and b for IPv4, and DIR is the folder of the batch.
 */
import type { Family } from '../../src/core/address.js'
import type { Mood } from './servers.js'
import { type Site, tableLines } from './site.js'

export const FAMILIES = ['ipv6', 'ipv4'] as const

/** Scenarios that share the file and the two daemons: to start these is what takes longest. They go in step. */
export interface Batch {
  readonly name: string
  /** Global lines of the file; short times are added. */
  readonly globals?: string
  /** Files of the folder, by name: scripts are executable. */
  readonly files?: Readonly<Record<string, string>>
  /** Changes of the file come with no signal: `autoreload` is to notice them. */
  readonly isUnsignalled?: true
  /** For both daemons. */
  readonly environment?: Readonly<Record<string, string>>
  readonly scenarios: readonly Scenario[]
}

export interface Scenario {
  readonly name: string
  readonly site: Site
  /**
   * What both daemons find in the table, as commands of ipvsadm: by default the table of the first step, without what is
   * rare in it. A server that is there ldirectord need not add, take out and add again.
   */
  readonly before?: string
  /** Families it is run for; both by default. */
  readonly families?: readonly Family[]
  /** The first begins with the start of both daemons. */
  readonly steps: readonly Step[]
}

export interface Step {
  /** A phrase in the present. */
  readonly what: string
  /** What becomes of R1, R2, R3 and F; all are up at the beginning. */
  readonly servers?: Readonly<Record<string, Mood>>
  /** Files that appear in the folder, or go (null). */
  readonly files?: Readonly<Record<string, string | null>>
  /** Its sections replace those of the scenario; both daemons get SIGHUP. */
  readonly reload?: Site
  /** Both daemons get SIGTERM and end. */
  readonly stop?: true
  /** What both tables become. */
  readonly table: string
  /** What both have told from the step before to the end of this one, a line each in any order; by default whatever. */
  readonly told?: string
  /** Where ldirectord's is another one, by section 21 of its inventory. */
  readonly ldirectord?: Difference | readonly Difference[]
}

export interface Difference {
  readonly because: string
  /** Both by default. */
  readonly families?: readonly Family[]
  /** Null: whatever it is, for it changes by itself, or ldirectord is gone. The step's by default. */
  readonly table?: string | null
  /** The same of what it tells. */
  readonly told?: string | null
}

/** The addresses of one scenario of a batch: each has its own. */
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

/** Whether a line of a table belongs to the scenario. */
export function isOfSlot(line: string, slot: number): boolean {
  const mark = /^fwmark (\d+)\d /.exec(line)
  if (mark) return Number(mark[1]) === slot
  return line.includes(`[fd00:f:${slot}:`) || line.includes(` 10.15.${slot}.`)
}

/** Whether a line of another kind is about the scenario, or about none. */
export function isAboutSlot(line: string, slot: number): boolean {
  const slots = [...line.matchAll(/fd00:(?:f|1):(\d+):|\b10\.(?:15|1)\.(\d+)\./g)].map(
    ([, six, four]) => six ?? four,
  )
  return slots.length === 0 || slots.includes(String(slot))
}

export interface Place {
  /** From 1. */
  readonly slot: number
  /** The folder of the batch. */
  readonly folder: string
}

/** One family's copy of a text: names become addresses, in brackets where IPv6 needs them. */
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

/** The global part of the file. */
export function globalsOf(globals: string, place: Place): string {
  const lay = FAMILIES.map(family => inFamily(unindented(globals), family, place))
  // What is not of a family is the same in each copy, and stands once.
  const once = new Set(lay.join('').split('\n'))
  return [OURS, ...once].join('\n')
}

/** The part of a scenario. */
export function sectionsOf(sections: string, families: readonly Family[], place: Place): string {
  return families.map(family => inFamily(unindented(sections), family, place)).join('')
}

/** Short times, and in the foreground. */
const OURS = 'checkinterval=1\nchecktimeout=2\nnegotiatetimeout=2\nsupervised=yes'

/** With the words that ldirectord has for IPv6. */
function inFamily(text: string, family: Family, place: Place): string {
  const copy = written(text, family, place)
  return family === 'ipv6' ? copy.replaceAll(/^(\s*)(virtual|real|fallback)(?=\s*=)/gm, '$1$26') : copy
}

/** The lines of a table, each with its service, sorted: `tcp V1:80 | R1:80 masq 5`. */
export function tableOf(text: string, families: readonly Family[], place: Place): string[] {
  return families.flatMap(family => linesOf(text, family, place)).sort()
}

/** The lines of what is told, sorted. */
export function toldOf(text: string, families: readonly Family[], place: Place): string[] {
  const copies = families.map(family => written(unindented(text), family, place))
  return copies
    .flatMap(copy => copy.split('\n'))
    .filter(line => line !== '')
    .sort()
}

/** A mark is one of a family. */
function linesOf(text: string, family: Family, place: Place): string[] {
  return tableLines(text).map(line => written(line, family, place).replace(/^(fwmark \d+)/, `$1 ${family}`))
}

/** Takes away the indentation that the text has in its source. */
export function unindented(text: string): string {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  const margin = Math.min(...lines.map(line => /^\s*/.exec(line)?.[0].length ?? 0))
  return lines.map(line => `${line.slice(margin)}\n`).join('')
}

/** The services and servers of a table as commands of ipvsadm: what both find at their start. */
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
