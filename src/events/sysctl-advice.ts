/** Logs advice about sysctls that keep clients on a failed server. lvsd does not set them. */
import { readFileSync } from 'node:fs'
import type { Config } from '../core/model.js'
import type { Log } from '../system/log.js'
import type { EventListener } from './event-bus.js'

/** Sysctls in net.ipv4.vs, which apply to IPv6 too. Null if the kernel does not have the sysctl. */
export interface ConnectionSettings {
  /** True if persistent clients leave a server of weight 0. */
  readonly expireQuiescentTemplate: boolean | null
  /** True if connections to a server that is not in the table any more end at once. */
  readonly expireNodestConn: boolean | null
}

export interface Advice {
  /** The sysctl. The advice is logged once for each service. */
  readonly key: keyof ConnectionSettings
  /** Names of the services concerned. */
  readonly services: readonly string[]
}

/** Returns the advice for these settings, with the affected services. Pure. */
export function adviceFor({ services }: Config, settings: ConnectionSettings): readonly Advice[] {
  const bound = services.filter(({ quiescent, attributes }) => quiescent && attributes.persistence !== null)
  const removed = services.filter(({ quiescent, onDown }) => !quiescent || onDown !== null)
  const advice: Advice[] = [
    { key: 'expireQuiescentTemplate', services: bound.map(({ name }) => name) },
    { key: 'expireNodestConn', services: removed.map(({ name }) => name) },
  ]
  return advice.filter(each => settings[each.key] === false && each.services.length > 0)
}

/** Maximum number of services named in one log line. */
const MOST_NAMED = 10

const PLACE = '/proc/sys/net/ipv4/vs/'

/** Reads the sysctls of this process's network namespace. */
export function readConnectionSettings(place = PLACE): ConnectionSettings {
  const read = (name: string) => {
    try {
      return readFileSync(`${place}${name}`, 'utf8').trim() !== '0'
    } catch {
      return null
    }
  }
  return {
    expireQuiescentTemplate: read('expire_quiescent_template'),
    expireNodestConn: read('expire_nodest_conn'),
  }
}

interface Harm {
  /** Its value should be 1. */
  readonly sysctl: string
  readonly harm: string
  /** What the value 1 does. */
  readonly effect: string
}

/** What each sysctl does to clients while it is 0. */
export const HARMS: Readonly<Record<keyof ConnectionSettings, Harm>> = {
  expireQuiescentTemplate: {
    sysctl: 'net.ipv4.vs.expire_quiescent_template',
    harm: 'persistent clients stay with a failed server, because it stays in the table at weight 0 (quiescent)',
    effect: 'moves them to another one',
  },
  expireNodestConn: {
    sysctl: 'net.ipv4.vs.expire_nodest_conn',
    harm: 'connections to a failed server that was removed hang until they time out',
    effect: 'ends them at once',
  },
}

function sentenceOf({ sysctl, harm, effect }: Harm): string {
  return `${harm}; sysctl -w ${sysctl}=1 ${effect}`
}

/** Returns a listener that logs the advice at the start, and at a reload for newly affected services. */
export function kernelAdvice(log: Log, read = readConnectionSettings): EventListener {
  const told = new Set<string>()
  const tell = ({ key, services }: Advice) => {
    const news = services.filter(name => !told.has(`${key} ${name}`))
    for (const name of news) told.add(`${key} ${name}`)
    if (news.length === 0) return
    const fields = { services: news.length > MOST_NAMED ? [...news.slice(0, MOST_NAMED), '…'] : news }
    // Only the first setting sends new connections to a failed server.
    log[key === 'expireQuiescentTemplate' ? 'warn' : 'info']('kernel.advice', fields, sentenceOf(HARMS[key]))
  }
  return {
    config(config) {
      for (const advice of adviceFor(config, read())) tell(advice)
    },
  }
}
