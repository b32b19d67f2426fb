/** Counts what goes over netlink, in both directions and whoever speaks, on an nlmon interface. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { netlinkChanges } from './compile-tools.js'
import { run } from './kernel-table.js'

const INTERFACE = 'nlmon0'

export interface Tap {
  /** Datagrams so far; a batch of many messages is one. */
  datagrams(): number
  bytes(): number
  /** Messages so far that change the IPVS table. */
  changes(): Promise<number>
  close(): void
}

/** Null where this kernel has no nlmon. Throws where its packets cannot be read. */
export async function openTap(): Promise<Tap | null> {
  try {
    run('ip', 'link', 'add', INTERFACE, 'type', 'nlmon')
    run('ip', 'link', 'set', INTERFACE, 'up')
  } catch {
    return null
  }
  const counter = (name: string) =>
    Number(readFileSync(`/sys/class/net/${INTERFACE}/statistics/${name}`, 'utf8').trim())
  const reader = spawn(netlinkChanges, [INTERFACE], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the reader of nlmon has ended')
    return value
  }
  await line()
  return {
    datagrams: () => counter('rx_packets'),
    bytes: () => counter('rx_bytes'),
    async changes() {
      reader.stdin.write('\n')
      return Number(await line())
    },
    close: () => reader.stdin.end(),
  }
}
