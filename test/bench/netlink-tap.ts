/** Counts what goes over netlink, in both directions and whoever speaks, on an nlmon interface. */
import { readFileSync } from 'node:fs'
import { run } from './kernel-table.js'

export interface Tap {
  /** Datagrams so far; a batch of many messages is one. */
  datagrams(): number
  bytes(): number
}

/** Null where this kernel has no nlmon. */
export function openTap(): Tap | null {
  try {
    run('ip', 'link', 'add', 'nlmon0', 'type', 'nlmon')
    run('ip', 'link', 'set', 'nlmon0', 'up')
  } catch {
    return null
  }
  const counter = (name: string) =>
    Number(readFileSync(`/sys/class/net/nlmon0/statistics/${name}`, 'utf8').trim())
  return { datagrams: () => counter('rx_packets'), bytes: () => counter('rx_bytes') }
}
