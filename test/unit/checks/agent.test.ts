import assert from 'node:assert/strict'
import fc from 'fast-check'
import { check } from '../../../checks/agent.js'
import { readWords } from '../../../checks/lib/agent.js'
import { type CheckResult, MAX_WEIGHT } from '../../../src/core/model.js'
import { announcing } from '../../support/checks/lines.js'
import { probe, targetOf } from '../../support/probe.js'
import {
  drippingServer,
  endlessServer,
  hangUpServer,
  type Loopback,
  refusedPort,
  silentServer,
  tcpServer,
} from '../../support/servers.js'
import { until } from '../../support/until.js'

type Words = readonly [line: string, reason: CheckResult['reason'], advice?: CheckResult['advice']]

const WORDS: readonly Words[] = [
  ['up', null],
  ['ready', null],
  ['up ready', null],
  ['UP', null],
  ['75%', null, { percent: 75 }],
  ['up 75%', null, { percent: 75 }],
  ['0%', null, { percent: 0 }],
  ['200%', null, { percent: 200 }],
  ['weight:75%', null, { percent: 75 }],
  ['up, weight:10', null, { weight: 10 }],
  ['50%\tup,maxconn:30', null, { percent: 50 }],
  ['maxconn:30', null],
  ['drain', null, { percent: 0 }],
  ['drain 75%', null, { percent: 0 }],
  ['maint', 'off'],
  ['maint up', 'off'],
  ['down', 'status'],
  ['down # disk full, no way', 'status'],
  ['fail', 'status'],
  ['failed', 'status'],
  ['stopped', 'status'],
  ['ready down 75%', 'status'],
  ['upp', 'garbage'],
  ['up 75', 'garbage'],
  ['up half', 'garbage'],
  ['HTTP/1.1 200 OK', 'garbage'],
  ['-5%', 'garbage'],
  ['99999999999%', 'garbage'],
]

/** Where `max-weight` says nothing else. */
const MOST = { most: { percent: 1000 } }

describe('agent', () => {
  for (const [line, reason, advice] of WORDS)
    it(`understands "${line}"`, async () => {
      const result = await probe(check, await announcing(`${line}\n`))
      const { most, ...said } = result.advice ?? {}
      assert.deepEqual(
        most,
        advice && line !== 'drain' && !line.startsWith('drain ') ? { percent: 1000 } : undefined,
      )
      assert.deepEqual(
        { reason: result.reason, advice: result.advice && said },
        { reason, advice },
        result.detail,
      )
      assert.equal(result.ok, reason === null)
      assert.ok(result.detail.includes(`"${line.replace('\t', ' ')}"`), result.detail)
    })

  it('ignores unknown words, and always returns a result', () => {
    fc.assert(
      fc.property(fc.string(), line => {
        const word = readWords(line, { percent: 1000 })
        if (!word) return
        const { ok, reason, detail } = word
        assert.equal(ok, reason === null)
        assert.ok(detail.length < 300)
      }),
    )
  })

  for (const host of ['::1', '127.0.0.1'] as const)
    it(`sends the configured text to ${host}`, async () => {
      const server = await tcpServer(socket => {
        socket.once('data', chunk => socket.end(String(chunk) === 'lvs\n' ? '25%\r\n' : 'down\r\n'))
      }, host)
      assert.deepEqual((await probe(check, server, { send: 'lvs\\n' })).advice, { percent: 25, ...MOST })
    })

  it('does not wait for the end of the connection', async () => {
    const server = await tcpServer(socket => socket.write('up 10%\nup 20%\n'))
    assert.deepEqual((await probe(check, server)).advice, { percent: 10, ...MOST })
  })

  const silences: [
    phrase: string,
    reason: string,
    server: (host?: Loopback) => Promise<{ host: string; port: number } | number>,
  ][] = [
    ['is not there', 'refused', host => refusedPort(host)],
    ['stays silent', 'timeout', host => silentServer(host)],
    ['hangs up at once', 'closed', host => hangUpServer(host)],
    ['says an empty line', 'unexpected', host => announcing('\r\n', host)],
    ['says no word', 'unexpected', host => announcing('# nothing\n', host)],
    ['dies in mid-word', 'truncated', host => announcing('up 5', host)],
    ['drips', 'timeout', host => drippingServer('up 50%, but very slowly indeed\n', 20, host)],
    ['never ends its line', 'too-big', host => endlessServer('up ', 'up ', host)],
  ]
  for (const [phrase, reason, server] of silences)
    it(`gives no advice if it ${phrase}, or sets the server down if that is configured`, async () => {
      const timeout = reason === 'timeout' ? 150 : 3000
      const where = await server()
      // An agent of an earlier test may have had the same port. Its words are valid for the same options only.
      const hold = '3s'
      const lenient = await probe(check, where, { hold }, { timeout })
      assert.deepEqual([lenient.ok, lenient.advice], [true, undefined])
      const does =
        reason === 'unexpected'
          ? 'says no word'
          : reason === 'too-big'
            ? 'sends an endless line'
            : 'is silent'
      assert.match(lenient.detail, new RegExp(`^the agent ${does} and is ignored: `))
      const strict = await probe(check, where, { hold, silence: 'down' }, { timeout })
      assert.equal(strict.reason, reason, strict.detail)
    })
})

describe('agent: the end of the answer', () => {
  // As HAProxy has it: the first carriage return or line feed, and none is no word.
  const ends: [string, CheckResult['advice'] | 'silent'][] = [
    ['50%\r', { percent: 50, ...MOST }],
    ['50%\r\n', { percent: 50, ...MOST }],
    ['50%\rdown\n', { percent: 50, ...MOST }],
    ['50%\ndown\r', { percent: 50, ...MOST }],
    ['\r50%\n', 'silent'],
    ['50%', 'silent'],
    ['drain', 'silent'],
    ['down#disk full', 'silent'],
  ]
  for (const [said, advice] of ends)
    it(`is found in ${JSON.stringify(said)}`, async () => {
      const result = await probe(check, await announcing(said), { hold: '1ms' })
      assert.equal(result.ok, true, result.detail)
      assert.equal(/is ignored/.test(result.detail), advice === 'silent', result.detail)
      assert.deepEqual(result.advice, advice === 'silent' ? undefined : advice)
    })

  it('does not need the end of the connection', async () => {
    const server = await tcpServer(socket => socket.write('drain\r'))
    assert.deepEqual((await probe(check, server)).advice, { percent: 0 })
  })
})

describe('agent: the highest weight of an agent', () => {
  it('is a number or a share, which is returned with the advice', async () => {
    const server = await announcing('weight:999999999\n')
    for (const [most, expected] of [
      [20, { weight: 20 }],
      [0, { percent: 1000 }],
    ] as const) {
      const { advice } = await probe(check, server, { 'max-weight': most })
      assert.deepEqual(advice, { weight: 999_999_999, most: expected })
    }
  })

  it('may be any valid weight, and not more', async () => {
    const server = await announcing('weight:999999999\n')
    const { advice } = await probe(check, server, { 'max-weight': MAX_WEIGHT })
    assert.deepEqual(advice, { weight: 999_999_999, most: { weight: MAX_WEIGHT } })
    assert.throws(() => probe(check, server, { 'max-weight': MAX_WEIGHT + 1 }))
  })
})

describe('agent: the last answer of an agent', () => {
  /** Says these one after the other, and then nothing. */
  function saying(words: string[]) {
    return tcpServer(socket => {
      const word = words.shift()
      if (word === undefined) socket.resetAndDestroy()
      else socket.end(`${word}\n`)
    })
  }

  it('remains valid while the agent is silent', async () => {
    const server = await saying(['drain'])
    await probe(check, server)
    for (let i = 0; i < 2; i++) {
      const { ok, advice, detail } = await probe(check, server)
      assert.deepEqual([ok, advice], [true, { percent: 0 }])
      assert.match(detail, /^the agent says "drain"; holds while the agent is silent: connection reset/)
    }
  })

  it('remains valid for the configured time, and then gives no advice', async () => {
    const server = await saying(['down'])
    const options = { hold: '1s', silence: 'up' }
    assert.equal((await probe(check, server, options)).reason, 'status')
    assert.equal((await probe(check, server, options)).reason, 'status')
    let last = await probe(check, server, options)
    await until(async () => {
      last = await probe(check, server, options)
      return last.ok === true
    })
    assert.deepEqual([last.ok, last.advice], [true, undefined])
    assert.match(last.detail, /is ignored/)
  })

  it('is the last valid one: an invalid answer is an error and does not replace it', async () => {
    const server = await saying(['20%', 'nonsense', '30%'])
    await probe(check, server)
    assert.equal((await probe(check, server)).reason, 'garbage')
    await probe(check, server)
    assert.deepEqual((await probe(check, server)).advice, { percent: 30, ...MOST })
  })

  it('applies to one server only', async () => {
    const server = await saying(['maint'])
    await probe(check, server)
    assert.equal((await probe(check, server)).reason, 'off')
    assert.equal((await probe(check, await refusedPort())).ok, true)
    assert.equal((await probe(check, targetOf(server), { send: 'other' })).ok, true)
  })

  it('applies to one path of a service only, whose servers have one address', async () => {
    const server = await saying(['maint'])
    const direct = { ...targetOf(server), marked: null }
    const marked = { ...direct, marked: { mark: 0, path: 'a path', ports: [] } }
    assert.equal((await probe(check, marked)).reason, 'off')
    assert.equal((await probe(check, direct)).ok, true)
    assert.equal((await probe(check, marked)).reason, 'off')
    // A server that takes the place of another one gets its mark.
    const next = { ...direct, marked: { ...marked.marked, path: 'another path' } }
    assert.equal((await probe(check, next)).ok, true)
  })
})
