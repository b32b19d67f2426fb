import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseAddress } from '../../../src/core/address.js'
import { type Hint, OPENED } from '../../../src/core/hints.js'
import type { CheckResult } from '../../../src/core/model.js'
import type { AskedEndpoint } from '../../../src/hints/endpoints.js'
import { Sentinels } from '../../../src/hints/sentinels.js'
import type { TcpEvents } from '../../../src/hints/tcp.js'
import { FakeClock } from '../../support/fake-clock.js'

const address = parseAddress('2001:db8::1') as NonNullable<ReturnType<typeof parseAddress>>
const resultOf = (ok: boolean | null, reason: CheckResult['reason'] = null): CheckResult => ({
  ...{ ok, reason, detail: '', phase: null, ms: 1, phases: [] },
})
const PASS = resultOf(true)

/** Sentinels on a fake clock, with connections that the test opens and ends. */
function rig(count = 1, most = 1000) {
  const clock = new FakeClock()
  const hints: (Hint & { ids: readonly string[] })[] = []
  const connections: (TcpEvents & { port: number; isDropped: boolean; at: number })[] = []
  const sentinels = new Sentinels({
    clock,
    most,
    tcp: {
      connect: ({ port }, _source, on) => {
        const made = { ...on, port, isDropped: false, at: clock.now() }
        connections.push(made)
        return {
          drop: () => {
            made.isDropped = true
          },
        }
      },
    },
    sourceOf: () => null,
    onHint: (ids, hint) => void hints.push({ ids, ...hint }),
  })
  const endpoints = new Map(
    Array.from({ length: count }, (_, i): [string, AskedEndpoint] => [
      `${i}`,
      { key: `${i}`, address, port: i + 1, source: undefined, ids: [`job ${i}`] },
    ]),
  )
  const leftOut = sentinels.follow(endpoints)
  /** The server passes its check, and the connection of the sentinel is established. */
  const open = () => {
    sentinels.result('job 0', PASS)
    clock.wind(2000)
    connections.at(-1)?.opened()
  }
  return { clock, hints, connections, sentinels, endpoints, leftOut, open }
}

/** The server closes connections at the age `idle`; its check passes each `interval`. It ends with an open connection. */
function serves(
  { connections, sentinels, clock }: ReturnType<typeof rig>,
  { idle, interval, ms }: { readonly idle: number; readonly interval: number; readonly ms: number },
): void {
  const began = clock.now()
  for (let at = 0; at < ms || sentinels.of('job 0')?.state !== 'watching'; at = clock.now() - began) {
    if (at % interval === 0) sentinels.result('job 0', PASS)
    clock.wind(100)
    const { state, since } = sentinels.of('job 0') ?? {}
    if (state === 'opening') connections.at(-1)?.opened()
    else if (since != null && clock.now() - since >= idle) connections.at(-1)?.ended(null)
  }
}

describe('sentinels: a connection', () => {
  it('is opened after the first passed check, and then stays', () => {
    const { clock, connections, sentinels } = rig()
    sentinels.result('job 0', resultOf(false, 'refused'))
    sentinels.result('job 0', resultOf(null))
    clock.wind(60_000)
    assert.equal(connections.length, 0)
    sentinels.result('job 0', PASS)
    clock.wind(10)
    connections[0]?.opened()
    const since = clock.now()
    sentinels.result('job 0', PASS)
    clock.wind(3_600_000)
    assert.equal(connections.length, 1)
    assert.deepEqual(sentinels.of('job 0'), { state: 'watching', since, restsUntil: null, idleLimit: null })
    assert.equal(clock.alarms, 0)
  })

  it('that the server closes or resets is a hint, and the next passed check opens another', () => {
    for (const [code, word] of [
      [null, 'closed'],
      ['ECONNRESET', 'reset'],
    ] as const) {
      const { clock, connections, sentinels, hints, open } = rig()
      open()
      clock.wind(3000)
      connections[0]?.ended(code)
      assert.deepEqual(hints, [
        {
          ids: ['job 0'],
          kind: 'sentinel',
          detail: `the idle connection to the server was ${word} after 3.0 s`,
        },
      ])
      clock.wind(60_000)
      assert.equal(connections.length, 1)
      sentinels.result('job 0', PASS)
      clock.wind(10)
      assert.equal(connections.length, 2)
    }
  })

  it('that no longer answers, or that an ICMP error ends, is a hint', () => {
    for (const [code, kind] of [
      ['ETIMEDOUT', 'sentinel'],
      ['EHOSTUNREACH', 'icmp'],
    ] as const) {
      const { connections, hints, open } = rig()
      open()
      connections[0]?.ended(code)
      assert.deepEqual(
        hints.map(hint => hint.kind),
        [kind],
      )
    }
  })

  it('that is refused, or meets an ICMP error, is a hint; one that fails otherwise is none', () => {
    for (const [code, kinds] of [
      ['ECONNREFUSED', ['sentinel']],
      ['EHOSTUNREACH', ['icmp']],
      ['ENETUNREACH', ['icmp']],
      ['EACCES', ['icmp']],
      ['ETIMEDOUT', []],
      ['EADDRNOTAVAIL', []],
    ] as const) {
      const { clock, connections, sentinels, hints } = rig()
      sentinels.result('job 0', PASS)
      clock.wind(10)
      connections[0]?.ended(code)
      assert.deepEqual(
        hints.map(hint => hint.kind),
        kinds,
        code,
      )
    }
  })

  it('that meets ICMP errors whenever it is opened is opened more and more rarely, up to about a minute', () => {
    const { clock, connections, sentinels, hints } = rig()
    for (let i = 0; i < 300; i++) {
      sentinels.result('job 0', PASS)
      clock.wind(1000)
      if (sentinels.of('job 0')?.state === 'opening') connections.at(-1)?.ended('EACCES')
    }
    assert.ok(hints.every(({ isSingle }) => isSingle))
    const apart = connections.slice(1).map(({ at }, i) => Math.round((at - (connections[i]?.at ?? 0)) / 1000))
    assert.deepEqual(apart, [2, 4, 8, 16, 32, 64, 64, 64])
    sentinels.result('job 0', PASS)
    clock.wind(64_000)
    connections.at(-1)?.opened()
    connections.at(-1)?.ended(null)
    sentinels.result('job 0', PASS)
    clock.wind(1000)
    assert.equal(connections.length, 11)
  })

  it('is opened at most once a second', () => {
    const { clock, connections, sentinels } = rig()
    for (let i = 0; i < 1000; i++) {
      sentinels.result('job 0', PASS)
      clock.wind(10)
      connections.at(-1)?.ended('ETIMEDOUT')
    }
    assert.ok(connections.length <= 11, `${connections.length} in 10 s`)
  })

  it('is dropped when a check times out, and rests a minute: the server may have waited for it', () => {
    const { clock, connections, sentinels, open } = rig()
    open()
    // It may have begun before the connection.
    sentinels.result('job 0', PASS)
    sentinels.result('job 0', resultOf(false, 'timeout'))
    assert.equal(connections[0]?.isDropped, true)
    const restsUntil = clock.now() + 60_000
    const resting = { since: null, restsUntil, idleLimit: null }
    assert.deepEqual(sentinels.of('job 0'), { state: 'closed', ...resting })
    sentinels.result('job 0', PASS)
    clock.wind(50_000)
    assert.equal(connections.length, 1)
    assert.deepEqual(sentinels.of('job 0'), { state: 'waiting', ...resting })
    clock.wind(11_000)
    assert.equal(connections.length, 2)
    assert.equal(sentinels.of('job 0')?.restsUntil, null)
  })

  it('rests five seconds where a check that began beside it has passed: the server has been silent', () => {
    const { clock, connections, sentinels, open } = rig()
    open()
    clock.wind(2000)
    sentinels.result('job 0', { ...PASS, ms: 900 })
    clock.wind(10_000)
    sentinels.result('job 0', resultOf(false, 'timeout'))
    clock.wind(1000)
    sentinels.result('job 0', resultOf(false, 'timeout'))
    sentinels.result('job 0', PASS)
    clock.wind(3900)
    assert.equal(connections.length, 1)
    clock.wind(200)
    assert.equal(connections.length, 2)
  })

  it('rests a minute where the check that has passed began before it', () => {
    const { clock, connections, sentinels, open } = rig()
    open()
    clock.wind(2000)
    sentinels.result('job 0', { ...PASS, ms: 1100 })
    sentinels.result('job 0', resultOf(false, 'timeout'))
    sentinels.result('job 0', PASS)
    clock.wind(50_000)
    assert.equal(connections.length, 1)
  })

  it('is opened ever less often to a server that serves one connection at a time', () => {
    const { clock, connections, sentinels } = rig()
    const hour = 3_600_000
    for (const end = clock.now() + 24 * hour; clock.now() < end; ) {
      const isWatching = sentinels.of('job 0')?.state === 'watching'
      sentinels.result('job 0', isWatching ? resultOf(false, 'timeout') : PASS)
      clock.wind(5000)
      if (sentinels.of('job 0')?.state === 'opening') connections.at(-1)?.opened()
    }
    // After 1, 2, 4, 8, 16 and 32 minutes, and then each hour.
    assert.ok(connections.length > 26 && connections.length < 32, `${connections.length}`)
  })

  it('rests five seconds after each silence of a server that closes idle connections, as it has served beside them', () => {
    for (const [idle, interval] of [
      [30_000, 5000],
      [5000, 10_000],
    ] as const) {
      const parts = rig()
      for (let i = 0; i < 8; i++) {
        serves(parts, { idle, interval, ms: 600_000 })
        const silentAt = parts.clock.now()
        parts.sentinels.result('job 0', resultOf(false, 'timeout'))
        const count = parts.connections.length
        while (parts.connections.length === count) {
          parts.sentinels.result('job 0', PASS)
          parts.clock.wind(100)
        }
        assert.ok(parts.clock.now() - silentAt <= 6000, `${parts.clock.now() - silentAt} after ${i} silences`)
      }
    }
  })

  it('rests a minute where the server may have ended it to serve the check that has passed', () => {
    const { clock, connections, sentinels, open } = rig()
    open()
    clock.wind(5000)
    sentinels.result('job 0', { ...PASS, ms: 3000 })
    connections[0]?.ended(null)
    sentinels.result('job 0', PASS)
    clock.wind(10)
    connections[1]?.opened()
    clock.wind(3000)
    sentinels.result('job 0', resultOf(false, 'timeout'))
    sentinels.result('job 0', PASS)
    clock.wind(50_000)
    assert.equal(connections.length, 2)
  })

  it('does not rest after a timeout that came while there was none', () => {
    const { clock, connections, sentinels } = rig()
    sentinels.result('job 0', resultOf(false, 'timeout'))
    sentinels.result('job 0', PASS)
    clock.wind(10)
    assert.equal(connections.length, 1)
  })

  it('is dropped when a check is refused: the server may wait for it before it ends', () => {
    const { clock, connections, hints, sentinels, open } = rig()
    open()
    sentinels.result('job 0', resultOf(false, 'status'))
    assert.equal(connections[0]?.isDropped, false)
    sentinels.result('job 0', resultOf(false, 'refused'))
    assert.equal(connections[0]?.isDropped, true)
    assert.deepEqual(hints, [])
    sentinels.result('job 0', PASS)
    clock.wind(2000)
    assert.equal(connections.length, 2)
  })

  it('stays with a job that stays, and goes with one that goes', () => {
    const { connections, sentinels, endpoints, open } = rig()
    open()
    sentinels.follow(new Map(endpoints))
    assert.equal(connections[0]?.isDropped, false)
    sentinels.follow(new Map())
    assert.equal(connections[0]?.isDropped, true)
    assert.equal(sentinels.of('job 0'), null)
  })

  it('is not opened again after a close', () => {
    const { clock, connections, sentinels, open } = rig()
    open()
    sentinels.close()
    assert.equal(connections[0]?.isDropped, true)
    sentinels.result('job 0', PASS)
    clock.wind(5000)
    assert.equal(connections.length, 1)
    assert.equal(clock.alarms, 0)
  })
})

describe('sentinels: a server that closes idle connections', () => {
  /** The server closes each connection at this age; its checks pass. */
  function closes({ connections, sentinels, clock }: ReturnType<typeof rig>, age: number, times: number) {
    for (let i = 0; i < times; i++) {
      sentinels.result('job 0', PASS)
      clock.wind(1010)
      connections.at(-1)?.opened()
      clock.wind(age)
      connections.at(-1)?.ended(null)
    }
    // The check that the last hint brought forward.
    sentinels.result('job 0', PASS)
  }

  it('is learned after two closes, and gives no hint from then on', () => {
    const parts = rig()
    closes(parts, 5000, 20)
    assert.equal(parts.hints.length, 2)
    assert.equal(parts.sentinels.of('job 0')?.idleLimit, 5000)
  })

  it('gives a hint when it closes much earlier, and is still known', () => {
    const parts = rig()
    closes(parts, 5000, 4)
    closes(parts, 1500, 1)
    assert.equal(parts.hints.length, 3)
    closes(parts, 5000, 3)
    assert.equal(parts.hints.length, 3)
  })

  it('gives a hint when the next connection is refused', () => {
    const parts = rig()
    closes(parts, 5000, 4)
    parts.clock.wind(1010)
    parts.connections.at(-1)?.ended('ECONNREFUSED')
    assert.match(parts.hints.at(-1)?.detail ?? '', /was refused when lvsd opened it/)
  })

  it('is not learned from closes after which the check fails', () => {
    const { clock, connections, sentinels, hints, open } = rig()
    for (let i = 0; i < 5; i++) {
      open()
      clock.wind(3000)
      connections.at(-1)?.ended('ECONNRESET')
      sentinels.result('job 0', resultOf(false, 'refused'))
    }
    assert.equal(hints.length, 5)
    assert.equal(sentinels.of('job 0')?.idleLimit, null)
  })

  it('gives at most a hint a second, at whatever ages it closes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }), ages => {
        const parts = rig()
        const begun = parts.clock.now()
        for (const age of ages) {
          parts.sentinels.result('job 0', PASS)
          parts.clock.wind(1000)
          if (parts.sentinels.of('job 0')?.state !== 'opening') continue
          parts.connections.at(-1)?.opened()
          parts.clock.wind(age)
          parts.connections.at(-1)?.ended(null)
        }
        assert.ok(parts.hints.length <= 1 + (parts.clock.now() - begun) / 1000)
      }),
    )
  })
})

describe('sentinels: many', () => {
  it('are opened at a bounded pace, and all of them', () => {
    const { clock, connections, sentinels, endpoints } = rig(3000, 5000)
    for (const { ids } of endpoints.values()) for (const id of ids) sentinels.result(id, PASS)
    clock.wind(1000)
    const most = OPENED.burst + OPENED.perSecond
    assert.ok(connections.length <= most + 1, `${connections.length} in a second`)
    assert.ok(connections.length >= OPENED.perSecond - 20, `${connections.length} in a second`)
    clock.wind(10_000)
    assert.equal(connections.length, 3000)
    assert.equal(new Set(connections.map(({ port }) => port)).size, 3000)
  })

  it('beyond the descriptors are left out, and get their place when others go', () => {
    const { sentinels, leftOut, endpoints } = rig(10, 4)
    assert.equal(leftOut, 6)
    assert.equal(sentinels.of('job 9'), null)
    const fewer = new Map([...endpoints].slice(7))
    assert.equal(sentinels.follow(fewer), 0)
    assert.equal(sentinels.of('job 9')?.state, 'closed')
  })
})
