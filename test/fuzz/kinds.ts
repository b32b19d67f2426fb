/** What is spoilt: for each kind a talk in which it is up, so that chance gets as far as there is anything to read. */
import { createHash, createHmac } from 'node:crypto'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type Answer as DnsRecord, decode, encode, type Packet } from 'dns-packet'
import type { Check } from '../../src/check/check.js'
import { type OneShot, openOneShot } from '../../src/schedule/executors.js'
import { frame } from '../support/http2-frame.js'

/** Bytes, or what makes them of what was asked. */
export type Said = Buffer | ((asked: Buffer) => Buffer)

export interface Talk {
  readonly transport: 'tcp' | 'udp' | 'tls'
  readonly alpn?: readonly string[]
  /** The first answer comes without a question. */
  readonly greets?: boolean
  /** One to each thing that is said. */
  readonly answers: readonly Said[]
}

export interface Fuzzed {
  /** Of the kind, and of the case where it has several. */
  readonly name: string
  readonly kind: string
  readonly options: Readonly<Record<string, unknown>>
  readonly talk: Talk
  /** Where the talk ends in the middle: a handshake of TLS cannot be told by heart. */
  readonly isNeverUp?: true
  /** It is asked from a worker: Node's own code may end the process that hears the answers. */
  readonly isApart?: true
}

const text = (said: string) => Buffer.from(said, 'latin1')
const hex = (said: string) => Buffer.from(said.replaceAll(' ', ''), 'hex')

function tcp(greets: boolean, ...answers: readonly (string | Said)[]): Talk {
  return {
    transport: 'tcp',
    greets,
    answers: answers.map(answer => (typeof answer === 'string' ? text(answer) : answer)),
  }
}

// ---------------------------------------------------------------- HTTP

const PAGE =
  'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n<html>all is well</html>\r\n'
const CHUNKED =
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9;x=y\r\n<html>all\r\n11\r\n is well</html>\r\n\r\n0\r\nX-Sum: 1\r\n\r\n'
const MOVED = 'HTTP/1.1 302 Found\r\nLocation: /there?x=1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
const coded = (coding: string, body: Buffer) =>
  Buffer.concat([
    text(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ])
const ZIPPED = coded('gzip', gzipSync('<html>all is well</html>'.repeat(20)))
const BROTLI = coded('br', brotliCompressSync('<html>all is well</html>'))
const moving = (asked: Buffer) => text(asked.includes('there') ? CHUNKED : MOVED)

const header = (name: string, value: string) =>
  Buffer.concat([Buffer.from([0, name.length]), text(name), Buffer.from([value.length]), text(value)])
const SETTINGS = Buffer.concat([frame(4, 0, 0, hex('000300000064')), frame(4, 1, 0)])
const PAGE2 = Buffer.concat([
  SETTINGS,
  frame(1, 4, 1, Buffer.concat([text('\x08\x03103')])),
  frame(1, 4, 1, Buffer.concat([Buffer.from([0x88]), header('content-type', 'text/html')])),
  frame(0, 1, 1, text('<html>all is well</html>')),
])
const GRPC = Buffer.concat([
  SETTINGS,
  frame(1, 4, 1, Buffer.concat([Buffer.from([0x88]), header('content-type', 'application/grpc')])),
  frame(0, 0, 1, hex('0000000002 0801')),
  frame(1, 5, 1, header('grpc-status', '0')),
])

// ---------------------------------------------------------------- databases

const packet = (sequence: number, ...parts: readonly Buffer[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, sequence]), body])
}
const GREETING = packet(
  0,
  text('\n10.11.6-lvsd\0'),
  hex('01000000'),
  text('abcdefgh\0'),
  hex('fff70802000bf815'),
  Buffer.alloc(10),
  text('ijklmnopqrst\0mysql_native_password\0'),
)
const OK = packet(2, hex('00000002000000'))
const COLUMN = packet(2, hex('03646566 00 01 61 01 61 01 61 01 61 0c 2d00 00040000 fd 0000000000'))
const ROWS = Buffer.concat([
  packet(1, Buffer.from([1])),
  COLUMN,
  packet(3, hex('fe00000200')),
  packet(4, text('\x04well')),
  packet(5, hex('fb')),
  packet(6, hex('fe00000200')),
])

const message = (code: string, body: Buffer) => {
  const head = Buffer.alloc(5)
  head.write(code)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const LET_IN = Buffer.concat([
  message('R', hex('00000000')),
  message('S', text('client_encoding\0UTF8\0')),
  message('N', text('SNOTICE\0C00000\0Mhello\0\0')),
  message('K', hex('0000000100000002')),
  message('Z', text('I')),
])
const MD5 = message('R', hex('0000000561626364'))
const FOUND = Buffer.concat([
  message('T', Buffer.concat([hex('0001'), text('a\0'), hex('00000000 0000 00000019 ffff ffffffff 0000')])),
  message('D', Buffer.concat([hex('0001 00000004'), text('well')])),
  message('C', text('SELECT 1\0')),
  message('Z', text('I')),
])

// ---------------------------------------------------------------- answers that depend on the question

const RECORDS: DnsRecord[] = [
  { type: 'A', name: 'www.example.com', data: '192.0.2.1' },
  { type: 'CNAME', name: 'www.example.com', data: 'other.example.com' },
  { type: 'TXT', name: 'www.example.com', data: ['all is', ' well'] },
  { type: 'MX', name: 'www.example.com', data: { preference: 1, exchange: 'mail.example.com' } },
  {
    type: 'SRV',
    name: 'www.example.com',
    data: { port: 1, target: 'mail.example.com', priority: 1, weight: 2 },
  },
]

function dnsAnswer(query: Buffer): Buffer {
  const { id, questions } = decode(query)
  return encode({ id, questions, answers: RECORDS, type: 'response', flags: 0 } as Packet)
}

function dnsOverTcp(asked: Buffer): Buffer {
  const answer = dnsAnswer(asked.subarray(2))
  return Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer])
}

function radiusAnswer(asked: Buffer): Buffer {
  const attributes = Buffer.concat([hex('5012'), Buffer.alloc(16), hex('1207'), text('hello')])
  const head = Buffer.from([2, asked[1] ?? 0, 0, 20 + attributes.length])
  const whole = Buffer.concat([head, asked.subarray(4, 20), attributes])
  createHmac('md5', 'secret').update(whole).digest().copy(attributes, 2)
  const signature = createHash('md5').update(
    Buffer.concat([head, asked.subarray(4, 20), attributes, text('secret')]),
  )
  return Buffer.concat([head, signature.digest(), attributes])
}

function sipAnswer(asked: Buffer): Buffer {
  const kept = String(asked)
    .split('\r\n')
    .filter(line => /^(via|to|from|call-id|cseq)\s*:/i.test(line))
  return text(`SIP/2.0 200 OK\r\n${kept.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
}

// ---------------------------------------------------------------- all of them

const CHALLENGE = Buffer.from('<17@mail.example>').toString('base64')
const BOUND = hex('300c02010261070a010004000400')
const ENTRY = hex(
  '30160201036411 04 09 64633d6578616d706c 3004 3002 0400'.replace(
    / 09 64633d6578616d706c/,
    '0964633d6578616d706c',
  ),
)
const DONE = hex('300c02010365070a010004000400')

export const FUZZED: readonly Fuzzed[] = [
  {
    name: 'agent',
    kind: 'agent',
    options: {},
    talk: tcp(true, 'up, weight:50% maxconn:30 # all is well\r\n'),
  },
  {
    name: 'dialogue',
    kind: 'dialogue',
    options: {
      steps: [
        'line ^220',
        'send EHLO x\\r\\n',
        'lines ^250 ',
        'send X\\r\\n',
        'expect well',
        'send Y\\r\\n',
        'expect-hex 00 ff',
      ],
    },
    talk: tcp(true, '220 hello\r\n', '250-a\r\n250-b\r\n250 c\r\n', 'all is well\r\n', hex('0102 00ff')),
  },
  {
    name: 'dns',
    kind: 'dns',
    options: { request: 'www.example.com', receive: '^192' },
    talk: { transport: 'udp', answers: [dnsAnswer] },
  },
  {
    name: 'dns over TCP',
    kind: 'dns',
    options: { request: 'www.example.com', transport: 'tcp', receive: 'well$' },
    talk: tcp(false, dnsOverTcp),
  },
  {
    name: 'ftp',
    kind: 'ftp',
    options: { login: 'u', passwd: 'p' },
    talk: tcp(true, '220-hello\r\n220 there\r\n', '331 who?\r\n', '230 in\r\n', '221 bye\r\n'),
  },
  { name: 'grpc', kind: 'grpc', options: {}, talk: tcp(false, GRPC), isApart: true },
  { name: 'http', kind: 'http', options: { receive: 'all (is )+well' }, talk: tcp(false, PAGE) },
  { name: 'http in chunks', kind: 'http', options: { text: 'well' }, talk: tcp(false, CHUNKED) },
  { name: 'http, compressed', kind: 'http', options: { text: 'well' }, talk: tcp(false, ZIPPED) },
  {
    name: 'http with redirects',
    kind: 'http',
    options: { text: 'well', redirects: 3 },
    talk: tcp(false, moving),
  },
  {
    name: 'http_proxy',
    kind: 'http_proxy',
    options: { request: 'http://x.example/', text: 'well', redirects: 3 },
    talk: tcp(false, moving),
  },
  { name: 'https', kind: 'https', options: { text: 'well' }, talk: { transport: 'tls', answers: [BROTLI] } },
  {
    name: 'HTTP/2',
    kind: 'https',
    options: { http2: true, text: 'well' },
    talk: { transport: 'tls', alpn: ['h2'], answers: [PAGE2] },
    isApart: true,
  },
  {
    name: 'imap',
    kind: 'imap',
    options: { login: 'u', passwd: 'p' },
    talk: tcp(
      true,
      '* OK [CAPABILITY IMAP4rev1] ready\r\n',
      '* CAPABILITY X\r\nb OK in\r\n',
      '* BYE\r\nc OK\r\n',
    ),
  },
  { name: 'ldap', kind: 'ldap', options: {}, talk: tcp(false, BOUND, Buffer.concat([ENTRY, DONE])) },
  {
    name: 'mysql',
    kind: 'mysql',
    options: { request: 'SELECT 1', text: 'well' },
    talk: tcp(true, GREETING, OK, packet(1, hex('00000002000000')), ROWS),
  },
  {
    name: 'mysql by ed25519',
    kind: 'mysql',
    options: { passwd: 'p' },
    talk: tcp(
      true,
      GREETING,
      packet(2, text('\xfeclient_ed25519\0'), Buffer.alloc(32, 7)),
      packet(4, hex('00000002000000')),
    ),
  },
  {
    name: 'mysql by caching_sha2_password',
    kind: 'mysql',
    options: { passwd: 'p' },
    talk: tcp(
      true,
      GREETING,
      packet(2, text('\xfecaching_sha2_password\0abcdefghijklmnopqrst\0')),
      Buffer.concat([packet(4, hex('0103')), packet(5, hex('00000002000000'))]),
    ),
  },
  { name: 'nntp', kind: 'nntp', options: {}, talk: tcp(true, '200 hello\r\n', '205 bye\r\n') },
  {
    name: 'pgsql',
    kind: 'pgsql',
    options: { request: 'SELECT 1', text: 'well' },
    talk: tcp(false, LET_IN, FOUND),
  },
  { name: 'pgsql by MD5', kind: 'pgsql', options: { passwd: 'p' }, talk: tcp(false, MD5, LET_IN) },
  {
    name: 'pgsql by SCRAM',
    kind: 'pgsql',
    options: { passwd: 'p' },
    talk: tcp(false, message('R', text('\0\0\0\nSCRAM-SHA-256\0\0')), scram, LET_IN),
  },
  {
    name: 'pop',
    kind: 'pop',
    options: { login: 'u', passwd: 'p' },
    talk: tcp(
      true,
      '+OK ready\r\n',
      '+OK\r\nUSER\r\nSASL PLAIN CRAM-MD5\r\n.\r\n',
      `+ ${CHALLENGE}\r\n`,
      '+OK in\r\n',
      '+OK bye\r\n',
    ),
  },
  {
    name: 'pop by APOP',
    kind: 'pop',
    options: { login: 'u', passwd: 'p' },
    talk: tcp(true, '+OK <17.3@mail.example> ready\r\n', '+OK in\r\n', '+OK bye\r\n'),
  },
  {
    name: 'radius',
    kind: 'radius',
    options: { secret: 'secret', login: 'u' },
    talk: { transport: 'udp', answers: [radiusAnswer] },
  },
  {
    name: 'redis',
    kind: 'redis',
    options: { passwd: 'p', role: 'replica', get: 'a', value: 'well' },
    talk: tcp(
      false,
      '+OK\r\n',
      '+PONG\r\n',
      '*5\r\n$5\r\nslave\r\n$3\r\n::2\r\n:6379\r\n$9\r\nconnected\r\n:7\r\n',
      '$4\r\nwell\r\n',
    ),
  },
  {
    name: 'simpletcp',
    kind: 'simpletcp',
    options: { request: 'hello\\n', receive: '^all is (well|fine)$' },
    talk: tcp(false, 'hm\r\nall is well\nand more\n'),
  },
  { name: 'sip', kind: 'sip', options: {}, talk: { transport: 'udp', answers: [sipAnswer, sipAnswer] } },
  { name: 'sip over TCP', kind: 'sip', options: { transport: 'tcp' }, talk: tcp(false, sipAnswer) },
  {
    name: 'smtp',
    kind: 'smtp',
    options: { login: 'u', passwd: 'p' },
    talk: tcp(
      true,
      '220 hello\r\n',
      '250-mail\r\n250-AUTH CRAM-MD5 PLAIN\r\n250 HELP\r\n',
      `334 ${CHALLENGE}\r\n`,
      '235 in\r\n',
      '221 bye\r\n',
    ),
  },
  {
    name: 'tls',
    isNeverUp: true,
    kind: 'tls',
    options: {},
    talk: tcp(
      false,
      hex(
        '160303003d0200003903037777777777777777777777777777777777777777777777777777777777777777 00c02f000011 ff01000100 000b00040300010200230000',
      ),
    ),
  },
  {
    name: 'udp',
    kind: 'udp',
    options: { request: 'hello', receive: 'well' },
    talk: { transport: 'udp', answers: [text('all is well')] },
  },
]

function scram(asked: Buffer): Buffer {
  const nonce = /r=([^,\0]+)/.exec(asked.toString('latin1'))?.[1] ?? ''
  return message('R', text(`\0\0\0\x0br=${nonce}abc,s=c2FsdHNhbHQ=,i=4096`))
}

/** A kind with the options of a case. */
export interface Prepared extends Fuzzed {
  readonly check: Check
  readonly executor: OneShot | null
}

export async function prepared(fuzzed: Fuzzed): Promise<Prepared> {
  const { check } = (await import(`../../checks/${fuzzed.kind}.js`)) as { check: Check }
  if (!fuzzed.isApart) return { ...fuzzed, check, executor: null }
  const module = new URL(`../../checks/${fuzzed.kind}.ts`, import.meta.url).href
  return { ...fuzzed, check: { ...check, module, origin: 'shipped' }, executor: openOneShot() }
}
