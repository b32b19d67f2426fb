/** Tests of faults that every check through a library must detect and survive. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import type { CheckResult } from '../../../src/core/model.js'
import { probe } from '../probe.js'
import { hangUpServer, refusedPort, silentServer, tcpServer } from '../servers.js'

type Options = Readonly<Record<string, unknown>>

/** Defines the tests. `first` is the beginning of a valid answer, so that random data gets past the first byte. */
export function failsAsAll<S extends OptionShape>(
  check: Check<S>,
  options: Options,
  first: Uint8Array,
): void {
  const run = (where: Parameters<typeof probe>[1], timeout = 2000): Promise<CheckResult> =>
    probe(check, where, options, { timeout })

  it('is down when nobody listens, over IPv6 and IPv4', async () => {
    assert.equal((await run(await refusedPort())).reason, 'refused')
    const port = await refusedPort('127.0.0.1')
    assert.equal((await run({ host: '127.0.0.1', port })).reason, 'refused')
  })

  it('is down at the deadline when the server stays silent, and ends the connection', async () => {
    await run(await hangUpServer())
    let closed = false
    const server = await tcpServer(socket => {
      socket.resume().on('end', () => {
        closed = true
      })
    })
    const { reason, ms } = await run(server, 150)
    assert.equal(reason, 'timeout')
    assert.ok(ms < 2000, `took ${ms} ms`)
    for (let i = 0; i < 100 && !closed; i++) await new Promise(soon => setTimeout(soon, 10))
    assert.ok(closed, 'the connection goes on')
    assert.equal(
      (await run({ host: '127.0.0.1', port: (await silentServer('127.0.0.1')).port }, 150)).reason,
      'timeout',
    )
  })

  it('is down when the server hangs up, resets or says something else', async () => {
    assert.equal((await run(await hangUpServer())).reason, 'closed')
    const resetting = await tcpServer(socket => setTimeout(() => socket.resetAndDestroy(), 5))
    assert.equal((await run(resetting)).reason, 'reset')
    for (const said of ['HTTP/1.1 400 Bad Request\r\n\r\n', Buffer.from([0, 1, 255, 254, 7, 0, 0, 0, 99])]) {
      const { ok, reason } = await run(await tcpServer(socket => socket.resume().end(said)))
      assert.equal(ok, false)
      assert.ok(
        ['garbage', 'closed', 'truncated', 'status', 'unexpected'].includes(reason ?? ''),
        `${reason}`,
      )
    }
  })

  it('is down, and lvsd well, whatever the server says', async function () {
    this.timeout(60_000)
    const beginnings = fc.nat({ max: first.length }).map(length => first.subarray(0, length))
    const answers = fc
      .tuple(beginnings, fc.uint8Array({ maxLength: 80 }))
      .map(([beginning, rest]) => Buffer.concat([beginning, rest]))
    await fc.assert(
      fc.asyncProperty(answers, async answer => {
        const server = await tcpServer(socket => socket.resume().end(answer))
        assert.equal((await run(server, 200)).ok, false)
      }),
      { numRuns: 30 },
    )
  })
}
