import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { decode as Decode, DecodedPacket, Answer as DnsRecord, Question } from 'dns-packet'
import { type Address, bytesOf, parseAddress } from '../src/address.js'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check.js'
import { readPattern } from '../src/pattern.js'
import { compileMatch, tooSlow } from '../src/probe/match.js'
import { askUdp } from './_datagram.js'

const TYPES = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'DNAME',
  'DNSKEY',
  'DS',
  'HINFO',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'RP',
  'SOA',
  'SRV',
  'SSHFP',
  'TLSA',
  'TXT',
] as const
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const

/** Asks a name server one question and looks at the answer. */
export const check = defineCheck({
  name: 'dns',
  summary: 'asks a name server a question',
  defaultPort: 53,

  options: kit => ({
    request: kit.text(undefined, 'Name to ask for, or an address, which asks for its PTR record'),
    type: kit.choice(TYPES, 'A', 'Record type to ask for'),
    receive: kit.pattern(
      'Regular expression that must occur in one of the answers, or an address in any notation',
    ),
    rcode: kit.choice(RCODES, 'NOERROR', 'Response code that is up'),
    answers: kit.number(1, 'Records of the type asked for that a NOERROR answer must hold', { max: 1000 }),
    recursion: kit.flag(true, 'Ask the server to look elsewhere if it does not know itself'),
    transport: kit.choice(
      ['udp', 'tcp'],
      'udp',
      'Protocol; an answer truncated over UDP is asked for over TCP',
    ),
  }),

  validate({ request, receive, rcode }) {
    if (!parseAddress(request) && !isName(request))
      return `"${request}" is neither a domain name nor an address`
    if (receive && rcode !== 'NOERROR') return `a ${rcode} answer has no records in which receive could occur`
    return null
  },

  async run(target, options, context) {
    const dns = await import('dns-packet')
    const question = questionOf(options)
    const query = {
      type: 'query' as const,
      id: randomInt(65_536),
      flags: options.recursion ? dns.RECURSION_DESIRED : 0,
      questions: [question],
    }
    const bytes = dns.encode(query)
    const read = (message: Buffer) => readReply(dns.decode, message, query.id, question)
    if (options.transport === 'udp') {
      const reply = read(await askUdp(target, bytes, context))
      if (typeof reply === 'string') return down('garbage', reply)
      if (!reply.flag_tc) return judge(reply, question, options)
    }
    const message = await askTcp(target, bytes, context)
    if (!message) return down('closed', 'closed before the answer was complete')
    const reply = read(message)
    return typeof reply === 'string' ? down('garbage', reply) : judge(reply, question, options)
  },
})

interface Wanted {
  readonly request: string
  readonly type: (typeof TYPES)[number]
  readonly receive: string | null
  readonly rcode: string
  readonly answers: number
}

function isName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  return text === '.' || (text.length <= 254 && labels.every(label => /^[\x21-\x7e]{1,63}$/.test(label)))
}

function questionOf({ request, type }: Wanted): Question {
  const address = parseAddress(request)
  return address ? { name: reverseName(address), type: 'PTR' } : { name: request.replace(/\.$/, ''), type }
}

/** The name under which an address's PTR record stands. */
export function reverseName(address: Address): string {
  const bytes = [...bytesOf(address)]
  if (address.family === 'ipv4') return `${bytes.reverse().join('.')}.in-addr.arpa`
  const nibbles = bytes.flatMap(byte => [byte >> 4, byte & 15])
  return `${nibbles
    .reverse()
    .map(nibble => nibble.toString(16))
    .join('.')}.ip6.arpa`
}

/** Null when the server hangs up before the answer is complete. */
async function askTcp({ address, port }: Target, query: Buffer, { signal, phase }: RunContext) {
  phase('connect')
  const socket = connect({ host: address.text, port, signal })
  try {
    await once(socket, 'connect')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    phase('first byte')
    let heard = Buffer.alloc(0)
    for await (const chunk of socket) {
      phase('body')
      heard = Buffer.concat([heard, chunk])
      const end = heard.length < 2 ? Number.POSITIVE_INFINITY : 2 + heard.readUInt16BE(0)
      if (heard.length >= end) return heard.subarray(2, end)
    }
    return null
  } finally {
    socket.destroy()
  }
}

/** The reply to our question, or a sentence why it is none. */
function readReply(
  decode: typeof Decode,
  message: Buffer,
  id: number,
  asked: Question,
): DecodedPacket | string {
  let reply: DecodedPacket
  try {
    reply = decode(message)
  } catch (error) {
    return `an answer of ${message.length} bytes that is not DNS: ${(error as Error).message}`
  }
  // The library reads zeros where the message has ended.
  if (decode.bytes > message.length) return `an answer that breaks off after ${message.length} bytes`
  if (reply.type !== 'response') return 'a DNS question came back instead of an answer'
  if (reply.id !== id) return `an answer with the id ${reply.id}, not ${id}`
  const [question] = reply.questions ?? []
  // A server that refuses may leave the question out.
  if (!question) return rcodeOf(reply) === 'NOERROR' ? 'an answer without the question' : reply
  const same = question.name.toLowerCase() === nameOnWire(asked) && question.type === asked.type
  return same ? reply : `an answer to another question: ${question.type} ${question.name}`
}

/** How dns-packet writes a decoded name: the root is a dot. */
function nameOnWire({ name }: Question): string {
  return name === '' ? '.' : name.toLowerCase()
}

/** dns-packet decodes the code; its types leave it out. */
function rcodeOf(reply: DecodedPacket): string {
  return (reply as DecodedPacket & { rcode: string }).rcode
}

function judge(reply: DecodedPacket, question: Question, { receive, rcode, answers }: Wanted): Answer {
  const got = rcodeOf(reply)
  const asked = `${question.type} ${nameOnWire(question)}`
  if (got !== rcode) return down('status', `${got} for ${asked}, expected ${rcode}`)
  if (rcode !== 'NOERROR') return up(`${got} for ${asked}`)
  const records = reply.answers ?? []
  const count = records.filter(record => record.type === question.type).length
  if (count < answers)
    return down('unexpected', `${count} records for ${asked}, expected at least ${answers}`)
  const texts = records.map(textOf)
  const shown = brief(texts)
  const found = receive ? findIn(texts, receive) : true
  if (found === null) return tooSlow(`/${receive}/`)
  if (!found) return down('unexpected', `no answer for ${asked} matches /${receive}/: ${shown}`)
  return up(`${asked}: ${shown}`)
}

function brief(texts: readonly string[]): string {
  if (texts.length === 0) return 'no records'
  const more = texts.length > 4 ? ` and ${texts.length - 4} more` : ''
  return texts.slice(0, 4).join(', ').slice(0, 200) + more
}

/** ldirectord's unanchored match; an address matches in every notation of it. Null where the pattern takes too long. */
function findIn(texts: readonly string[], receive: string): boolean | null {
  const address = parseAddress(receive)?.text
  if (address !== undefined && texts.includes(address)) return true
  const search = compileMatch({ kind: 'regexp', ...readPattern(receive) }).begin()
  for (const text of texts) {
    const found = search.occursIn(Buffer.from(text))
    if (found !== false) return found
  }
  return false
}

/** A record's data in the zone file's order. */
function textOf(record: DnsRecord): string {
  const data: unknown = 'data' in record ? record.data : ''
  if (record.type === 'TXT') return [data].flat().map(String).join('')
  if (record.type === 'A' || record.type === 'AAAA') return parseAddress(String(data))?.text ?? String(data)
  if (typeof data !== 'object' || data === null) return String(data)
  const fields = data as Record<string, unknown>
  const order = FIELDS[record.type] ?? Object.keys(fields)
  return order.map(field => fieldText(fields[field], record.type)).join(' ')
}

function fieldText(value: unknown, type: string): string {
  if (!Buffer.isBuffer(value)) return String(value)
  return type === 'DNSKEY' ? value.toString('base64') : value.toString('hex').toUpperCase()
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  CAA: ['flags', 'tag', 'value'],
  DNSKEY: ['flags', 'algorithm', 'key'],
  DS: ['keyTag', 'algorithm', 'digestType', 'digest'],
  HINFO: ['cpu', 'os'],
  MX: ['preference', 'exchange'],
  NAPTR: ['order', 'preference', 'flags', 'services', 'regexp', 'replacement'],
  RP: ['mbox', 'txt'],
  SOA: ['mname', 'rname', 'serial', 'refresh', 'retry', 'expire', 'minimum'],
  SRV: ['priority', 'weight', 'port', 'target'],
  SSHFP: ['algorithm', 'hash', 'fingerprint'],
  TLSA: ['usage', 'selector', 'matchingType', 'certificate'],
}
