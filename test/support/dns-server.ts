/** A name server on a UDP socket of ::1, for tests. It sends real packets with the answers that the test sets. */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { type Answer, decode, encode, type Packet } from 'dns-packet'
import { onCleanup } from './after-each.js'

/**
 * Answer by query, `www.example AAAA`: addresses or names, a code (`NXDOMAIN`, `SERVFAIL`), or silence. A missing entry
 * means NXDOMAIN.
 */
export type Zone = Record<string, readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence'>

export interface DnsServer {
  readonly port: number
  /** All queries so far, `www.example AAAA`. */
  readonly asked: string[]
  /** The answers. They may be changed at any time. */
  readonly zone: Zone
}

const CODES = { NXDOMAIN: 3, SERVFAIL: 2 }

export async function dnsServer(zone: Zone, host = '::1', port = 0): Promise<DnsServer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const asked: string[] = []
  socket.on('message', (bytes, from) => {
    const question = decode(bytes)
    const [{ name, type } = { name: '', type: '' }] = question.questions ?? []
    const key = `${name} ${type}`
    asked.push(key)
    const found = zone[key] ?? 'NXDOMAIN'
    if (found !== 'silence') send(question, found, from)
  })
  const send = (question: Packet, found: Exclude<Zone[string], 'silence'>, { port, address }: RemoteInfo) => {
    const [{ name, type } = { name: '', type: 'A' as const }] = question.questions ?? []
    const answers =
      typeof found === 'string' ? [] : found.map(data => ({ name, type, ttl: 60, data }) as Answer)
    const flags = 0x0180 | (typeof found === 'string' ? CODES[found] : 0)
    const { id, questions } = question
    socket.send(encode({ type: 'response', id, flags, questions, answers } as Packet), port, address)
  }
  socket.bind(port, host)
  await once(socket, 'listening')
  onCleanup(() => socket.close())
  return { port: socket.address().port, asked, zone }
}
