/** Compares a Config with the model that the real ldirectord builds from the same file. */
import type { Config, DaemonPhase, Service, Settings } from '../../../src/core/model.js'
import { compareReals } from './ldirectord-model-reals.js'
import {
  bare,
  bracketed,
  type Fact,
  type Facts,
  factsOf,
  literal,
  type Names,
  text,
} from './ldirectord-words.js'

export type { Fact } from './ldirectord-words.js'

/** Data of ldirectord's parser after reading a file, dumped from the running program. */
export interface Model {
  readonly global: Readonly<Record<string, unknown>>
  readonly virtual: readonly VirtualModel[]
  readonly faked_names?: Readonly<Record<string, string>>
}

export interface VirtualModel extends Readonly<Record<string, unknown>> {
  readonly _id: string
  readonly flags: string
  readonly service: string
  readonly checktype: string
  readonly real: readonly RealModel[]
}

export interface RealModel extends Readonly<Record<string, unknown>> {
  readonly server: string
  readonly port: number | string
  readonly forward: string
  readonly weight: number | string
  readonly url: string
}

/** Returns every fact of the model with lvsd's value, which is '-' if it is missing. */
export function compare(model: Model, config: Config): readonly Fact[] {
  const names = new Map(Object.entries(model.faked_names ?? {}))
  const theirs = { services: text(model.virtual.length), ...theirSettings(model.global) }
  const ours = { services: text(config.services.length), ...ourSettings(config.settings) }
  return [
    ...factsOf('', 0, theirs, ours),
    ...model.virtual.flatMap((virtual, i) => {
      const service = config.services[i]
      if (!service) return []
      return [
        ...factsOf(virtual._id, i, theirService(virtual, model.global), ourService(service, names)),
        ...compareReals(virtual, i, service, names),
      ]
    }),
  ]
}

function theirSettings({ autoreload, callback, maintenancedir }: Model['global']): Facts {
  return {
    autoreload: text(autoreload),
    callback: text(callback),
    maintenancedir: unquoted(text(maintenancedir)),
  }
}

function ourSettings({ autoreload, callback, maintenancedir }: Settings): Facts {
  return { autoreload: yesNo(autoreload), callback: text(callback), maintenancedir: text(maintenancedir) }
}

// ---------------------------------------------------------------- services

function theirService(virtual: VirtualModel, global: Model['global']): Facts {
  const interval =
    global.fork === 'yes' ? (virtual.checkinterval ?? global.checkinterval) : global.checkinterval
  // A virtual without real servers has no checks here.
  const isChecked = virtual.real.length > 0
  return {
    flags: normalFlags(virtual.flags),
    quiescent: text(virtual.quiescent ?? global.quiescent),
    cleanstop: text(virtual.cleanstop ?? global.cleanstop),
    fallback: theirFallback(virtual),
    fallbackcommand: text(virtual.fallbackcommand ?? global.fallbackcommand).trim(),
    monitorfile: text(virtual.monitorfile).trim(),
    label: text(virtual.servicename).trim(),
    comment: text(virtual.comment).trim(),
    ...(isChecked
      ? { interval: text(Number(interval)), failurecount: text(Number(virtual.failurecount)) }
      : {}),
    ...theirMail(virtual, global),
  }
}

function ourService(service: Service, names: Names): Facts {
  const { quiescent, cleanstop, fallback } = service
  const use = service.reals[0]?.checks[0]
  return {
    flags: ourFlags(service, names),
    quiescent: yesNo(quiescent),
    cleanstop: yesNo(cleanstop),
    fallback: fallback
      ? `${literal(fallback.host, names)}:${fallback.port} ${fallback.attributes.forwarding} ${fallback.attributes.weight}`
      : 'none',
    fallbackcommand: text(service.fallbackcommand),
    monitorfile: text(service.monitorfile),
    label: text(service.label),
    comment: text(service.comment),
    ...(use ? { interval: text(use.policy.interval / 1000), failurecount: text(use.policy.fall) } : {}),
    ...ourMail(service),
  }
}

function theirFallback(virtual: VirtualModel): string {
  const fallback = virtual._effective_fallback as Readonly<Record<string, unknown>> | null
  if (!fallback) return 'none'
  const { server, port, forward, weight } = fallback
  return `${bare(text(server))}:${Number(port)} ${forward} ${weight}`
}

// ---------------------------------------------------------------- mails

/** Bits of ldirectord's email alert status. */
const PHASES: readonly DaemonPhase[] = ['starting', 'running', 'stopping', 'reloading']

function theirMail(virtual: VirtualModel, global: Model['global']): Facts {
  const value = (name: string) => text(virtual[name] ?? global[name])
  const to = value('emailalert')
  if (to === '') return { mail: 'none' }
  const status = Number(value('emailalertstatus'))
  return {
    mail: listOf(to),
    during: PHASES.filter((_, i) => status & (1 << i)).join(),
    repeat: text(Number(value('emailalertfreq'))),
    smtp: value('smtp'),
    from: unquoted(text(global.emailalertfrom).trim()),
  }
}

function ourMail({ mail }: Service): Facts {
  if (!mail) return { mail: 'none' }
  return {
    mail: listOf(mail.to.join(' ')),
    during: PHASES.filter(phase => mail.during.includes(phase)).join(),
    repeat: text((mail.repeat ?? 0) / 1000),
    smtp: mail.server ? bracketed(mail.server.host) : '',
    from: text(mail.from),
  }
}

function listOf(addresses: string): string {
  return [...new Set(addresses.split(/[\s,;"]+/))].filter(word => word !== '').join(' ')
}

// ---------------------------------------------------------------- flags

/** Returns the arguments for ipvsadm. The mask is replaced by the prefix length, and omitted if it covers all bits. */
function normalFlags(flags: string): string {
  const six = flags.includes('[')
  return flags
    .trim()
    .replace(/:0+(?=\d)/, ':')
    .replace(/ -p 0+(?=\d)/, ' -p ')
    .replace(/^-f 0+(?=\d)/, '-f ')
    .replace(/ -M (\S+)/, (_, mask: string) => {
      const prefix = mask.includes('.') ? prefixOf(mask) : Number(mask)
      return prefix === (six || / -6 /.test(flags) ? 128 : 32) ? '' : ` -M ${prefix}`
    })
    .replace(/ -6(?= )/, '')
    .replace(/-b (\S+)/, (_, words: string) => `-b ${bitsOf(words)}`)
}

function prefixOf(mask: string): number {
  return mask.split('.').reduce((sum, part) => sum + Number(part).toString(2).replaceAll('0', '').length, 0)
}

function bitsOf(words: string): string {
  const bits = words.split(',').filter(word => word !== '')
  return [...new Set(bits.map(bitOf))].sort().join(',')
}

function bitOf(word: string): string {
  return word.endsWith('-fallback') ? 'flag-1' : word.endsWith('-port') ? 'flag-2' : word
}

function ourFlags({ virtual, attributes }: Service, names: Names): string {
  const { scheduler, schedulerFlags, persistence, onePacket } = attributes
  const where =
    virtual.kind === 'fwmark'
      ? `-f ${virtual.fwmark}`
      : `${virtual.protocol === 'udp' ? '-u' : '-t'} ${bracketed(literal(virtual.host, names))}:${virtual.port}`
  const all = virtual.family === 'ipv6' ? 128 : 32
  const persistent = persistence
    ? ` -p ${persistence.timeout}${persistence.prefix === all ? '' : ` -M ${persistence.prefix}`}`
    : ''
  const flags = schedulerFlags.length > 0 ? ` -b ${schedulerFlags.join(',')}` : ''
  return `${where}${onePacket ? ' -o' : ''} -s ${scheduler}${persistent}${flags}`
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}

function unquoted(value: string): string {
  return value.replace(/^"([^"]*)"$/, '$1')
}
