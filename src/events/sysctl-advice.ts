/** Settings of the kernel under which clients stay with a server that has failed. lvsd sets none of them: it says so. */
import { readFileSync } from 'node:fs'
import type { Config } from '../core/model.js'
import type { Log } from '../system/log.js'
import type { EventListener } from './event-bus.js'

/** Of net.ipv4.vs, which counts for IPv6 too; null where the kernel does not say. */
export interface ConnectionSettings {
  /** Do clients that are bound by persistence leave a server of weight 0? */
  readonly expireQuiescentTemplate: boolean | null
  /** Do connections to a server that is gone from the table end at once? */
  readonly expireNodestConn: boolean | null
}

export interface Advice {
  /** What this is about: told once, and again for services that come later. */
  readonly key: keyof ConnectionSettings
  /** Names of the services concerned. */
  readonly services: readonly string[]
}

/** Which services have what to fear from these settings. Pure. */
export function adviceFor({ services }: Config, settings: ConnectionSettings): readonly Advice[] {
  const bound = services.filter(({ quiescent, attributes }) => quiescent && attributes.persistence !== null)
  const removed = services.filter(({ quiescent }) => !quiescent)
  const advice: Advice[] = [
    { key: 'expireQuiescentTemplate', services: bound.map(({ name }) => name) },
    { key: 'expireNodestConn', services: removed.map(({ name }) => name) },
  ]
  return advice.filter(each => settings[each.key] === false && each.services.length > 0)
}

/** Services that one line names. */
const MOST_NAMED = 10

const PLACE = '/proc/sys/net/ipv4/vs/'

/** What is set in the network namespace of this process. */
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

const SENTENCES: Readonly<Record<keyof ConnectionSettings, string>> = {
  expireQuiescentTemplate:
    'persistent clients stay with a failed server, because it stays in the table at weight 0 (quiescent); sysctl -w net.ipv4.vs.expire_quiescent_template=1 moves them to another one',
  expireNodestConn:
    'connections to a failed server that was removed hang until they time out; sysctl -w net.ipv4.vs.expire_nodest_conn=1 ends them at once',
}

/** Says it in the log at a start, and at a reload for the services that no earlier configuration had. */
export function kernelAdvice(log: Log, read = readConnectionSettings): EventListener {
  const told = new Set<string>()
  const tell = ({ key, services }: Advice) => {
    const news = services.filter(name => !told.has(`${key} ${name}`))
    for (const name of news) told.add(`${key} ${name}`)
    if (news.length === 0) return
    const fields = { services: news.length > MOST_NAMED ? [...news.slice(0, MOST_NAMED), '…'] : news }
    // New connections go to a dead server by the first alone.
    log[key === 'expireQuiescentTemplate' ? 'warn' : 'info']('kernel.advice', fields, SENTENCES[key])
  }
  return {
    config(config) {
      for (const advice of adviceFor(config, read())) tell(advice)
    },
  }
}
