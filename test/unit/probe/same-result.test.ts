/** Each way to run a probe gives the same result, field by field: only the milliseconds differ, within bounds. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { check as connect } from '../../../checks/connect.js'
import { check as http } from '../../../checks/http.js'
import { check as proxy } from '../../../checks/http_proxy.js'
import { check as ping } from '../../../checks/ping.js'
import { check as simpletcp } from '../../../checks/simpletcp.js'
import { check as udp } from '../../../checks/udp.js'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import type { ProbeSpec } from '../../../src/check/probe-spec.js'
import type { CheckResult } from '../../../src/core/model.js'
import { FUZZED } from '../../fuzz/kinds.js'
import { mutated } from '../../fuzz/mutate.js'
import { Chance } from '../../fuzz/random.js'
import { FAULTS } from '../../support/checks/faults.js'
import { parseOptions } from '../../support/checks/options.js'
import { fullListener } from '../../support/full-listener.js'
import { closeNative, ENGINES, isDeferred } from '../../support/native-probe.js'
import { targetOf } from '../../support/probe.js'
import * as servers from '../../support/servers.js'

type Server = Pick<servers.Listening, 'host' | 'port'>
type Options = Readonly<Record<string, unknown>>

interface Case {
  readonly what: string
  readonly server: (host: servers.Loopback) => Promise<Server>
  readonly options?: Options
  /** Milliseconds. */
  readonly timeout?: number
  /** The reason, `up`, or `code` where the probe leaves the verdict to code. Absent: the machine decides. */
  readonly is?: string
  /** The phase that the server takes at least SLOW for. */
  readonly slow?: string
}

/** Milliseconds that a server waits, and that a run has for a server that never answers. */
const SLOW = 100
const SHORT = 250
const LONG = 10_000
/** Milliseconds by which two results may differ on a busy machine. */
const APART = 1500

/** All that a result says, but for its times. */
function saidBy(result: CheckResult) {
  const { ms: _, phases, ...said } = result
  // The engine's thread says only that the verdict is left to code.
  if (isDeferred(result)) return 'code'
  return { ...said, phases: phases.map(({ phase }) => phase) }
}

/** Runs the probe in all ways at once. Returns the first result. */
async function compared(probe: ProbeSpec, timeout: number): Promise<CheckResult> {
  const results = await Promise.all(ENGINES.map(({ run }) => run(probe, timeout)))
  return agreed(results, timeout)
}

function agreed(results: readonly CheckResult[], timeout: number): CheckResult {
  const [first, ...others] = results as [CheckResult, ...CheckResult[]]
  for (const [i, other] of others.entries())
    assert.deepEqual(saidBy(other), saidBy(first), ENGINES[i + 1]?.engine)
  if (isDeferred(first)) return first
  for (const result of results) inOrder(result, timeout)
  for (const other of others)
    for (const [i, { phase, ms }] of other.phases.entries())
      assert.ok(Math.abs(ms - (first.phases[i]?.ms ?? 0)) < APART, `${phase}: ${ms} ms`)
  return first
}

/** Times go on from phase to phase, up to that of the whole; a time limit is kept, and not reached before its time. */
function inOrder({ ms, phase, phases, reason }: CheckResult, timeout: number): void {
  const times = [0, ...phases.map(each => each.ms), ms]
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  )
  if (phases.length > 0) assert.equal(phases.at(-1)?.phase, phase)
  assert.ok(ms < timeout + APART, `${ms} of ${timeout} ms`)
  if (reason === 'timeout') assert.ok(ms > timeout - 5, `${ms} of ${timeout} ms`)
}

function timeIn(result: CheckResult, name: string): number {
  const at = result.phases.findIndex(({ phase }) => phase === name)
  return (result.phases[at]?.ms ?? 0) - (result.phases[at - 1]?.ms ?? 0)
}

function probeOf<S extends OptionShape>(check: Check<S>, server: Server, options: Options): ProbeSpec {
  const probe = check.probe?.(targetOf(server), parseOptions(check, options))
  assert.ok(probe)
  return probe
}

/** Waits for the request, then says each part, SLOW milliseconds apart from the second one on. */
const inParts =
  (...parts: readonly string[]) =>
  (host: servers.Loopback) =>
    servers.tcpServer(socket => {
      socket.once('data', () => say(socket, parts))
    }, host)

function say(socket: Socket, [part = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) return void socket.end(part)
  socket.write(part)
  setTimeout(() => socket.destroyed || say(socket, rest), SLOW)
}

const says = (text: string | Uint8Array) => (host: servers.Loopback) => servers.saying(text, host)

const talks = (talk: (socket: Socket) => void) => (host: servers.Loopback) => servers.tcpServer(talk, host)

const onRequest = (talk: (socket: Socket) => void) =>
  talks(socket => void socket.once('data', () => talk(socket)))

const refuses = async (host: servers.Loopback) => ({ host, port: await servers.refusedPort(host) })

/** Reachable by nobody, and over no route: an address of many, and one of all. */
const nowhere = async (host: servers.Loopback) => ({
  host: host === '::1' ? 'ff02::1' : '255.255.255.255',
  port: 80,
})

const noInterface = async () => ({ host: 'fe80::1%gone0', port: 80 })

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const ZIPPED = Buffer.concat([Buffer.from(`${OK}Content-Encoding: gzip\r\n\r\n`), gzipSync('ok')])

const TCP_FAULTS: readonly Case[] = [
  {
    what: 'has no room for a connection',
    server: async host => ({ host, port: fullListener(host) }),
    timeout: SHORT,
    is: 'timeout',
  },
  { what: 'refuses', server: refuses, is: 'refused' },
  { what: 'is at no address that can be reached', server: nowhere },
  { what: 'is behind an interface that is not there', server: noInterface, is: 'no-verdict' },
]

/** For a check that sends something and waits for an answer. */
const MUTE: readonly Case[] = [
  ...TCP_FAULTS,
  { what: 'stays silent', server: host => servers.silentServer(host), timeout: SHORT, is: 'timeout' },
  { what: 'resets at once', server: talks(socket => socket.resetAndDestroy()), is: 'reset' },
  { what: 'hangs up at once', server: host => servers.hangUpServer(host), is: 'closed' },
  { what: 'resets on the request', server: host => servers.resetServer(host), is: 'reset' },
  {
    what: 'resets after a while',
    server: onRequest(socket => setTimeout(() => socket.resetAndDestroy(), SLOW)),
    is: 'reset',
    slow: 'first byte',
  },
  {
    what: 'hangs up after a while',
    server: onRequest(socket => setTimeout(() => socket.end(), SLOW)),
    is: 'closed',
    slow: 'first byte',
  },
]

/** With the options `receive: ok` and `limit: 100000`, unless it has its own. */
const HTTP: readonly Case[] = [
  ...MUTE,
  ...FAULTS.map(([phrase, reason, behaviour]) => ({
    what: phrase,
    server: onRequest(behaviour),
    timeout: reason === 'timeout' ? SHORT : LONG,
    is: reason,
  })),
  { what: 'answers garbage', server: host => servers.garbageServer(host), is: 'garbage' },
  { what: 'has endless headers', server: host => servers.endlessHeaders(host), is: 'too-big' },
  { what: 'has an endless body', server: host => servers.endlessBody(host), is: 'too-big' },
  { what: 'sends headers byte by byte', server: dripping(OK, 30), timeout: SHORT, is: 'timeout' },
  {
    what: 'sends a body byte by byte',
    server: dripping(`${OK}\r\n${'x'.repeat(500)}`, 2),
    timeout: SHORT,
    is: 'timeout',
  },
  {
    what: 'sends many small pieces',
    server: dripping(`${OK}Content-Length: 200\r\n\r\n${'ok'.repeat(100)}`, 1),
    is: 'up',
  },
  {
    what: 'resets within the body',
    server: onRequest(socket => {
      socket.write(`${OK}Content-Length: 20\r\n\r\nok`)
      setTimeout(() => socket.resetAndDestroy(), SLOW)
    }),
    is: 'reset',
    slow: 'body',
  },
  {
    what: 'hangs up within the body',
    server: inParts(`${OK}Content-Length: 20\r\n\r\nok`, ''),
    is: 'truncated',
    slow: 'body',
  },
  { what: 'hangs up within the headers', server: inParts(OK, ''), is: 'truncated', slow: 'headers' },
  { what: 'stalls in the body', server: stalls(`${OK}\r\nok`), timeout: SHORT, is: 'timeout' },
  { what: 'stalls in the headers', server: stalls(OK), timeout: SHORT, is: 'timeout' },
  {
    what: 'declares too much',
    server: says(`${OK}Content-Length: 100001\r\n\r\n`),
    is: 'too-big',
  },
  { what: 'declares a chunk too big', server: says(`${CHUNKED}fffff\r\n`), is: 'too-big' },
  {
    what: 'declares two lengths',
    server: says(`${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`),
    is: 'garbage',
  },
  {
    what: 'sends interim answers without end',
    server: says('HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)),
    is: 'garbage',
  },
  {
    what: 'has a reason that controls terminals',
    server: says('HTTP/1.1 503 \x1b]0;owned\x07\r\n\r\n'),
    is: 'status',
  },
  { what: 'answers a page', server: says(`${OK}Content-Length: 2\r\n\r\nok`), is: 'up' },
  {
    what: 'answers later',
    server: onRequest(socket => setTimeout(() => socket.end(`${OK}\r\nok`), SLOW)),
    is: 'up',
    slow: 'first byte',
  },
  { what: 'ends its headers later', server: inParts(OK, '\r\nok'), is: 'up', slow: 'headers' },
  { what: 'ends its body later', server: inParts(`${OK}\r\no`, 'k'), is: 'up', slow: 'body' },
  { what: 'answers in chunks', server: inParts(`${CHUNKED}1\r\no\r\n`, '1\r\nk\r\n0\r\n\r\n'), is: 'up' },
  { what: 'answers a large page', server: says(`${OK}\r\n${'x'.repeat(99_000)}ok`), is: 'up' },
  { what: 'stays open after the page', server: stalls(`${OK}Content-Length: 2\r\n\r\nok`), is: 'up' },
  {
    what: 'answers first an interim answer',
    server: inParts('HTTP/1.1 103 Early\r\n\r\n', `${OK}\r\nok`),
    is: 'up',
  },
  {
    what: 'has what a regular expression wants',
    server: says(`${OK}\r\nall OK`),
    options: { receive: '(?i)\\bok$' },
    is: 'up',
  },
  {
    what: 'answers HEAD',
    server: says(`${OK}Content-Length: 9\r\n\r\n`),
    options: { httpmethod: 'HEAD' },
    is: 'up',
  },
  {
    what: 'has the status that is wanted',
    server: says('HTTP/1.1 404 No\r\n\r\n'),
    options: { status: '200, 400-404' },
    is: 'up',
  },
  { what: 'has no content', server: says('HTTP/1.1 204 No\r\n\r\n'), options: {}, is: 'up' },
  {
    what: 'redirects, which is not to be followed',
    server: says('HTTP/1.1 302 Found\r\nlocation : /login?to=1\r\n\r\n'),
    is: 'status',
  },
  {
    what: 'redirects to what is to be followed',
    server: says('HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n'),
    options: { redirects: 2, receive: 'ok' },
    is: 'code',
  },
  { what: 'compresses the page', server: says(ZIPPED), is: 'code' },
]

function dripping(text: string, every: number) {
  return (host: servers.Loopback) => servers.drippingServer(text, every, host)
}

function stalls(text: string) {
  return onRequest(socket => socket.write(text))
}

const TEXT: readonly Case[] = [
  ...MUTE,
  { what: 'answers', server: says('+PONG\r\n'), is: 'up' },
  { what: 'answers something else', server: says('-NOPE\r\n'), is: 'unexpected' },
  { what: 'answers in two parts', server: inParts('+PO', 'NG'), is: 'up', slow: 'body' },
  { what: 'answers half', server: inParts('+PO', ''), is: 'unexpected', slow: 'body' },
  { what: 'stalls within the answer', server: stalls('+PO'), timeout: SHORT, is: 'timeout' },
  { what: 'answers after much', server: says(`${'x'.repeat(900)}PONG`), is: 'up' },
  { what: 'answers after too much', server: says(`${'x'.repeat(997)}PONG`), is: 'unexpected' },
  { what: 'answers without end', server: host => servers.endlessServer('', 'x', host), is: 'unexpected' },
  { what: 'answers garbage', server: host => servers.garbageServer(host), is: 'unexpected' },
  {
    what: 'resets within the answer',
    server: onRequest(socket => {
      socket.write('+PO')
      setTimeout(() => socket.resetAndDestroy(), SLOW)
    }),
    is: 'reset',
    slow: 'body',
  },
  {
    what: 'answers before it has the whole request, and closes',
    server: talks(socket => socket.end('PONG', () => socket.destroy())),
    options: { request: 'x'.repeat(5_000_000), text: 'PONG' },
    is: 'up',
  },
  {
    what: 'resets before it has the whole request',
    server: talks(socket => socket.on('data', () => socket.bytesRead > 100_000 && socket.resetAndDestroy())),
    options: { request: 'x'.repeat(5_000_000), text: 'PONG' },
    is: 'reset',
  },
  {
    what: 'takes a long request',
    server: talks(socket => socket.on('end', () => socket.end('PONG')).resume()),
    options: { request: 'x'.repeat(5_000_000), text: 'PONG' },
    is: 'up',
  },
  { what: 'answers byte by byte', server: dripping('xxxxPONG', 5), is: 'up' },
  {
    what: 'has a line that is wanted',
    server: says('a\nbc\nd\n'),
    options: { request: 'a', receive: '^b.$' },
    is: 'up',
  },
  {
    what: 'hears the end of the request',
    server: talks(socket => socket.on('end', () => socket.end('PONG')).resume()),
    is: 'up',
  },
  {
    what: 'waits for the end of the request in vain',
    server: talks(socket => socket.on('end', () => socket.end('PONG')).resume()),
    options: { request: 'PING', text: 'PONG', halfclose: false },
    timeout: SHORT,
    is: 'timeout',
  },
  { what: 'greets', server: talks(socket => socket.write('PONG')), options: { text: 'PONG' }, is: 'up' },
  {
    what: 'may say anything',
    server: says('what\x00ever\x1b'),
    options: { request: 'hello' },
    is: 'up',
  },
  {
    what: 'may say anything, and says nothing',
    server: talks(socket => socket.on('end', () => socket.end()).resume()),
    options: { request: 'hello' },
    is: 'closed',
  },
]

const CONNECT: readonly Case[] = [
  ...TCP_FAULTS,
  { what: 'listens', server: host => servers.silentServer(host), is: 'up' },
  { what: 'resets at once', server: talks(socket => socket.resetAndDestroy()), is: 'up' },
  { what: 'is reset', server: host => servers.silentServer(host), options: { reset: true }, is: 'up' },
]

const answers =
  (answer: string | Uint8Array, delay = 0) =>
  (host: servers.Loopback) =>
    servers.udpServer((_, reply) => void setTimeout(reply, delay, answer), host)

const UDP: readonly Case[] = [
  { what: 'answers', server: answers('a pong'), is: 'up' },
  { what: 'answers later', server: answers('a pong', SLOW), is: 'up', slow: 'first byte' },
  { what: 'answers something else', server: answers('\x00what\x1b'), is: 'unexpected' },
  { what: 'answers an empty datagram', server: answers(''), is: 'closed' },
  { what: 'answers much', server: answers(`${'x'.repeat(60_000)}pong`), is: 'up' },
  { what: 'stays silent', server: host => servers.udpServer(() => {}, host), timeout: SHORT, is: 'timeout' },
  { what: 'has a closed port', server: refusesUdp, is: 'refused' },
  { what: 'has a closed port, and need not answer', server: refusesUdp, options: {}, is: 'refused' },
  {
    what: 'need not answer, and does not',
    server: host => servers.udpServer(() => {}, host),
    options: { patience: '150ms' },
    is: 'up',
  },
  {
    what: 'need not answer, until the time limit',
    server: host => servers.udpServer(() => {}, host),
    options: { patience: '60s' },
    timeout: SHORT,
    is: 'up',
  },
  { what: 'need not answer, and does', server: answers('hi'), options: {}, is: 'up' },
  { what: 'may answer anything', server: answers('\x00hi'), options: { reply: true }, is: 'up' },
  {
    what: 'must answer something, and answers nothing',
    server: answers(''),
    options: { reply: true },
    is: 'closed',
  },
  { what: 'hears bytes', server: answers('pong'), options: { hex: '00 ff', text: 'pong' }, is: 'up' },
  {
    what: 'is sent more than a datagram holds',
    server: answers('pong'),
    options: { hex: '00'.repeat(70_000), text: 'pong' },
    is: 'error',
  },
  { what: 'is at no address that can be reached', server: nowhere, timeout: SHORT },
  { what: 'is behind an interface that is not there', server: noInterface, is: 'no-verdict' },
]

async function refusesUdp(host: servers.Loopback) {
  return { host, port: await servers.refusedUdpPort(host) }
}

const here = async (host: servers.Loopback) => ({ host, port: 0 })

// Where pings are not permitted, no way has a verdict.
const PING: readonly Case[] = [
  { what: 'is there', server: here },
  { what: 'is sent little', server: here, options: { size: 16 } },
  { what: 'is sent much', server: here, options: { size: 1400, count: 3 } },
  { what: 'is at no address that can be reached', server: nowhere, timeout: SHORT },
  { what: 'is behind an interface that is not there', server: noInterface, is: 'no-verdict' },
]

const KINDS: readonly { check: Check; options: Options; cases: readonly Case[] }[] = [
  kind(http, { receive: 'ok', limit: 100_000 }, HTTP),
  kind(proxy, { request: 'http://www.example.com/', text: 'ok' }, [
    ...MUTE,
    { what: 'answers a page', server: says(`${OK}\r\nok`), is: 'up' },
    { what: 'cannot reach the other server', server: says('HTTP/1.1 502 No\r\n\r\n'), is: 'status' },
  ]),
  kind(simpletcp, { request: 'PING\\n', text: 'PONG', limit: 1000 }, TEXT),
  kind(connect, {}, CONNECT),
  kind(udp, { request: 'ping', receive: 'pong$' }, UDP),
  kind(ping, {}, PING),
]

function kind<S extends OptionShape>(check: Check<S>, options: Options, cases: readonly Case[]) {
  return { check: check as unknown as Check, options, cases }
}

const HOSTS = ['::1', '127.0.0.1'] as const

/** To both addresses at once, because many of these servers take their time. */
async function judged(check: Check, usual: Options, each: Case): Promise<void> {
  const { server, options = usual, timeout = LONG, is, slow } = each
  const one = async (host: servers.Loopback) => {
    const probe = probeOf(check, await server(host), options)
    const result = await compared(probe, timeout)
    const word = isDeferred(result) ? 'code' : (result.reason ?? 'up')
    if (is !== undefined) assert.equal(word, is, `${host}: ${result.detail}`)
    if (slow !== undefined) assert.ok(timeIn(result, slow) > SLOW - 20, JSON.stringify(result.phases))
  }
  await Promise.all(HOSTS.map(one))
}

describe('same result on both engines', () => {
  after(closeNative)

  for (const { check, options, cases } of KINDS)
    describe(`of ${check.name}, when the server`, () => {
      for (const each of cases) it(each.what, () => judged(check, options, each))
    })

  describe('when chance has spoilt the answer', () => {
    spoiltAnswers()
  })
})

/** Longer answers come in several reads, which chance cuts, and a result may say how far it read. */
const ONE_READ = 16_000
const SEEDS = 100

function spoiltAnswers(): void {
  const checks = { http, simpletcp, udp } as const
  for (const { name, kind, options, talk } of FUZZED) {
    const check = checks[kind as keyof typeof checks] as unknown as Check | undefined
    const [answer] = talk.answers
    if (!check || !(typeof answer === 'string' || Buffer.isBuffer(answer))) continue
    it(name, async () => {
      let spoilt: Uint8Array = new Uint8Array()
      const server =
        talk.transport === 'udp'
          ? await servers.udpServer((_, reply) => reply(spoilt))
          : await servers.tcpServer(socket => void socket.once('data', () => socket.end(spoilt)))
      const probe = probeOf(check, server, options as Options)
      for (let seed = 1; seed <= SEEDS; seed++) {
        const bytes = Buffer.from(answer)
        spoilt = mutated(bytes, new Chance(seed), [bytes]).subarray(0, ONE_READ)
        const results = await Promise.all(ENGINES.map(({ run }) => run(probe, LONG)))
        try {
          agreed(results, LONG)
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error })
        }
      }
    })
  }
}
