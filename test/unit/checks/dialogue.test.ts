import assert from 'node:assert/strict'
import { check } from '../../../checks/dialogue.js'
import { announcing, faultsOf, lineServer } from '../../support/checks/lines.js'
import { problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
import { type Loopback, tcpServer } from '../../support/servers.js'

/** As a payment network has it: two bytes of length, a type, a number; the answer has the type above it. */
const PING = '00 05 08 00 00 00 2a'
const PONG = '00 05 08 10 00 00 2a'

function payments(host?: Loopback) {
  return tcpServer(socket => {
    socket.on('data', chunk => {
      // In two pieces, and with a word before it that nobody asked for.
      if (chunk.toString('hex') !== PING.replaceAll(' ', '')) return socket.destroy()
      const answer = Buffer.from(`ffff${PONG.replaceAll(' ', '')}`, 'hex')
      socket.write(answer.subarray(0, 5), () => setTimeout(() => socket.write(answer.subarray(5)), 10))
      return undefined
    })
  }, host)
}

describe('dialogue', () => {
  for (const host of ['::1', '127.0.0.1'] as const)
    for (const [phrase, reason, server] of faultsOf('220 half'))
      it(`is down when a server at ${host} ${phrase}`, async () => {
        const timeout = reason === 'timeout' ? 120 : 3000
        const result = await probe(check, await server(host), { steps: ['line ^220 '] }, { timeout })
        // No protocol is known here: another one is an answer that was not expected.
        const expected = reason === 'garbage' ? 'unexpected' : reason
        assert.deepEqual([result.ok, result.reason], [false, expected], result.detail)
      })

  for (const host of ['::1', '127.0.0.1'] as const)
    it(`says and hears bytes to and from ${host}`, async () => {
      const steps = [`send-hex ${PING}`, `expect-hex ${PONG}`]
      const twice = await probe(check, await payments(host), { steps: [...steps, ...steps] })
      assert.equal(twice.ok, true, twice.detail)
      assert.equal(twice.detail, '4 steps')
      const other = await probe(check, await payments(host), { steps: ['send-hex 00 01', ...steps] })
      assert.match(other.reason ?? '', /closed|reset/)
    })

  it('says and hears text', async () => {
    const server = await lineServer('220 hello', line => (line === 'A b' ? '250-one\r\n250 two' : '500 no'))
    const steps = ['line ^220', 'send A b\\r\\n', 'lines ^250 ', 'send C\\r\\n', 'expect 500\\x20no\\r\\n']
    const { ok, detail } = await probe(check, server, { steps })
    assert.equal(ok, true, detail)
    assert.equal(detail, '5 steps, last heard "250 two"')
    assert.deepEqual(server.heard, ['A b', 'C'])
  })

  it('is down at once when the next line is another one, and tells which step it was', async () => {
    const server = await lineServer('220 hello', () => '535 wrong')
    const { reason, detail } = await probe(check, server, {
      steps: ['line ^2', 'send PASS geheim\\r\\n', 'line ^2'],
    })
    assert.deepEqual([reason, detail], ['unexpected', '"535 wrong" in answer to step 2, expected /^2/'])
  })

  it('is down when what is waited for does not come', async () => {
    for (const [steps, reason, said] of [
      [['lines ^354'], 'closed', /closed without a greeting/],
      [['expect 354'], 'truncated', /"220 hello" as its greeting, expected "354"/],
      [['line ^220', 'expect-hex 00'], 'closed', /closed without/],
    ] as const) {
      const result = await probe(check, await announcing('220 hello\r\n'), { steps })
      assert.equal(result.reason, reason, result.detail)
      assert.match(result.detail, said)
    }
    const silent = await lineServer('220 hello', () => '')
    const waiting = await probe(check, silent, { steps: ['expect 354'] }, { timeout: 120 })
    assert.equal(waiting.reason, 'timeout')
  })

  it('is down when a pattern takes too long', async () => {
    const server = await announcing(`${'a'.repeat(60)}!\r\n`.repeat(500))
    const asked = async (steps: string[]) => (await probe(check, server, { steps }, { timeout: 5000 })).reason
    assert.equal(await asked(['line ^(a+)+$']), 'unexpected')
    assert.equal(await asked(['line ^(a+)+\\1$']), 'error')
    // One budget for all lines and steps: not for each of them.
    const { reason, ms } = await probe(check, server, { steps: ['lines ^(a+)+\\1x?$'] }, { timeout: 5000 })
    assert.equal(reason, 'error')
    assert(ms < 2000, `${ms} ms`)
  })

  it('speaks TLS from the start', async () => {
    const server = await lineServer('220 hello', () => '', { tls: true })
    assert.equal((await probe(check, server, { tls: true, steps: ['line ^220'] })).ok, true)
    assert.equal(
      (await probe(check, server, { tls: true, verify: true, steps: ['line ^220'] })).reason,
      'tls',
    )
  })

  const wrong: [steps: string[], options: object, said: RegExp][] = [
    [[], {}, /at least one step/],
    [['say hello'], {}, /step 1, "say": a step begins with one of send, send-hex, expect/],
    [['line ^220', 'send'], {}, /step 2, "send": a text is missing/],
    [['send-hex 0'], {}, /pairs of hexadecimal/],
    [['expect-hex'], {}, /pairs of hexadecimal/],
    [['line ('], {}, /step 1.*regular expression/i],
    [['lines'], {}, /a regular expression is missing/],
    [['tls now'], {}, /the step tls has no text/],
    [['constructor'], {}, /begins with one of/],
    [['expect: 220'], {}, /step 1, "expect:": write expect without the colon/],
    [['line ^220'], { verify: true }, /verify needs tls: true or the step tls/],
  ]
  for (const [steps, options, said] of wrong)
    it(`refuses ${JSON.stringify({ steps, ...options })}`, () =>
      assert.match(problemOf(check, { steps, ...options }) ?? '', said))
})
