import { randomInt } from 'node:crypto'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { type Address, bytesOf, parseAddress } from '../src/core/address.js'
import { compileMatch, tooSlow } from '../src/probe/match-text.js'
import { readPattern } from '../src/search/perl-flags.js'
import { counted } from '../src/util/plural.js'
import { open } from './lib/connect.js'
import { askUdp } from './lib/datagram.js'
import {
  encodeQuery,
  NotDns,
  type Question,
  readAnswers,
  readHead,
  readQuestion,
  TYPES,
  type Type,
} from './lib/dns-message.js'
import { Heard } from './lib/heard.js'

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const

/** Sends one query to a name server and judges the answer. */
export const check = defineCheck({
  name: 'dns',
  summary: 'sends a query to a name server',
  defaultPort: 53,

  options: kit => ({
    request: kit.text(undefined, 'Name to look up, or an address, whose PTR record is looked up'),
    type: kit.choice(Object.keys(TYPES) as [Type, ...Type[]], 'A', 'Record type to look up'),
    receive: kit.pattern(
      'Regular expression that must occur in one of the answers, or an address in any notation',
    ),
    rcode: kit.choice(RCODES, 'NOERROR', 'Response code that is up'),
    answers: kit.number(1, 'Records of the type asked for that a NOERROR answer must hold', { max: 1000 }),
    recursion: kit.flag(true, 'Ask for recursion: the server asks other servers if it needs to'),
    transport: kit.choice(
      ['udp', 'tcp'],
      'udp',
      'Protocol; an answer truncated over UDP is asked for over TCP',
    ),
  }),

  validate({ request, receive, rcode }) {
    if (!parseAddress(request) && !isName(request))
      return problemOf('request', `"${request}" is neither a domain name nor an address`)
    if (receive && rcode !== 'NOERROR')
      return problemOf('receive', `a ${rcode} answer has no records in which receive could occur`)
    return null
  },

  expects: ({ rcode, answers, type, receive }) => {
    if (rcode !== 'NOERROR') return `the response code ${rcode}`
    return `${counted(answers, `${type} record`)} or more${receive ? `, one with /${receive}/` : ''}`
  },

  overTcp: ({ transport }) => transport === 'tcp',

  takesPath: () => true,
  async run(target, options, context) {
    const question = questionOf(options)
    const id = randomInt(65_536)
    const query = encodeQuery(id, question, options.recursion)
    try {
      if (options.transport === 'udp') {
        const reply = readReply(await askUdp(target, query, context), id, question)
        if (!reply.isTruncated) return judge(reply, question, options)
      }
      const message = await askTcp(target, query, context)
      if (!message) return down('closed', 'closed before the answer was complete')
      return judge(readReply(message, id, question), question, options)
    } catch (error) {
      if (error instanceof NotDns) return down('garbage', error.message)
      throw error
    }
  },
})

interface Wanted {
  readonly request: string
  readonly type: Type
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

/** Returns the name of an address's PTR record. */
export function reverseName(address: Address): string {
  const bytes = [...bytesOf(address)]
  if (address.family === 'ipv4') return `${bytes.reverse().join('.')}.in-addr.arpa`
  const nibbles = bytes.flatMap(byte => [byte >> 4, byte & 15])
  return `${nibbles
    .reverse()
    .map(nibble => nibble.toString(16))
    .join('.')}.ip6.arpa`
}

/** Returns null if the server closes the connection before the answer is complete. */
async function askTcp(target: Target, query: Buffer, context: RunContext): Promise<Buffer | null> {
  const socket = await open(target, null, context)
  try {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    context.phase('first byte')
    const heard = new Heard()
    for await (const chunk of socket) {
      context.phase('body')
      heard.push(chunk)
      const end = heard.length < 2 ? Number.POSITIVE_INFINITY : 2 + heard.peek(2).readUInt16BE()
      if (heard.length >= end) return heard.peek(end).subarray(2)
    }
    return null
  } finally {
    socket.destroy()
  }
}

interface Reply {
  readonly message: Buffer
  readonly rcode: string
  /** A truncated message may end anywhere, even within a record. Only this flag of it is used. */
  readonly isTruncated: boolean
}

/** Returns the reply to the query. Throws `NotDns` if the message is not a reply to it. */
function readReply(message: Buffer, id: number, asked: Question): Reply {
  const head = within(message, readHead)
  if (!head.isResponse) throw new NotDns('a DNS question came back instead of an answer')
  if (head.id !== id) throw new NotDns(`an answer with the id ${head.id}, not ${id}`)
  const { rcode, isTruncated } = head
  const reply = { message, rcode, isTruncated }
  const question = within(message, readQuestion)
  if (!question) {
    // A server may omit the question if it refuses the query, or has no space.
    if (rcode === 'NOERROR' && !isTruncated) throw new NotDns('an answer without the question')
    return reply
  }
  if (question.name.toLowerCase() === nameOnWire(asked) && question.type === asked.type) return reply
  throw new NotDns(`an answer to another question: ${question.type} ${question.name}`)
}

function within<T>(message: Buffer, read: (message: Buffer) => T): T {
  try {
    return read(message)
  } catch (error) {
    if (!(error instanceof NotDns)) throw error
    throw new NotDns(`an answer of ${counted(message.length, 'byte')} that is not DNS: ${error.message}`)
  }
}

/** Returns the name in the form in which `readQuestion` returns it: the root is a dot. */
function nameOnWire({ name }: Question): string {
  return name === '' ? '.' : name.toLowerCase()
}

function judge(reply: Reply, question: Question, { receive, rcode, answers }: Wanted): Answer {
  const got = reply.rcode
  const asked = `${question.type} ${nameOnWire(question)}`
  if (got !== rcode) return down('status', `${got} for ${asked}, expected ${rcode}`)
  if (rcode !== 'NOERROR') return up(`${got} for ${asked}`)
  const records = within(reply.message, readAnswers)
  const count = records.filter(record => record.type === question.type).length
  if (count < answers)
    return down('unexpected', `${count} records for ${asked}, expected at least ${answers}`)
  const texts = records.map(({ text }) => text)
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

/**
 * Searches the pattern unanchored, as in ldirectord. An address also matches in other notations. Returns null if the
 * pattern takes too long.
 */
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
