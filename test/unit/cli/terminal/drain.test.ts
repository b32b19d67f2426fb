import assert from 'node:assert/strict'
import {
  type Draining,
  DrainProgress,
  type DrainState,
  drainNotes,
  drainState,
  progressLines,
} from '../../../../src/cli/terminal/drain.js'
import { widthOf } from '../../../../src/util/text-width.js'
import { answerOf, connections, DRAIN } from '../../../support/cli/drain.js'

const TIMEOUTS = { tcpFin: 120, udp: 300 }
const WAITING = { waited: 72_000, wait: 300_000, trouble: null }

function read(answer = answerOf([connections()]), progress = new DrainProgress(), now = 0) {
  return progress.read(answer.services, TIMEOUTS, now)
}

describe('drain: the state of a server', () => {
  const disabled = { ...DRAIN, effect: 'disable' } as const
  const rows: [Parameters<typeof connections>[0], DrainState][] = [
    [{ weight: null }, 'absent'],
    [{ weight: 5, active: 1 }, 'stepping'],
    [{ weight: 5, override: disabled }, 'stepping'],
    [{ weight: 5, override: null }, 'undrained'],
    [{ weight: 5, override: { ...DRAIN, effect: 'weight', weight: 5 } }, 'undrained'],
    [{ active: 1, inactive: 1, persistent: 1 }, 'draining'],
    [{ inactive: 1, persistent: 1 }, 'closing'],
    [{ persistent: 1 }, 'returning'],
    [{}, 'empty'],
    [{ override: null }, 'empty'],
  ]
  for (const [change, state] of rows)
    it(`is ${state} with ${JSON.stringify(change)}`, () => {
      assert.equal(drainState(connections(change)), state)
    })
})

describe('drain: how long it takes at most', () => {
  const closing = answerOf([connections({ inactive: 3 })])

  it('is known for closed TCP connections, from the moment that the last one is closed', () => {
    const progress = new DrainProgress()
    assert.equal(read(answerOf([connections({ active: 1 })]), progress, 0)[0]?.atMost, null)
    assert.equal(read(closing, progress, 10_000)[0]?.atMost, 120_000)
    assert.equal(read(closing, progress, 40_000)[0]?.atMost, 90_000)
    assert.equal(read(answerOf([connections({ active: 1 })]), progress, 50_000)[0]?.atMost, null)
    assert.equal(read(closing, progress, 60_000)[0]?.atMost, 120_000)
    assert.equal(read(closing, progress, 200_000)[0]?.atMost, null)
  })

  it('is not known for UDP, a firewall mark, or while templates bring clients back', () => {
    for (const answer of [
      answerOf([connections({ inactive: 3 })], { protocol: 'udp' }),
      answerOf([connections({ inactive: 3 })], { protocol: null }),
      answerOf([connections({ inactive: 3, persistent: 1 })], { persistence: 300 }),
    ])
      assert.equal(read(answer)[0]?.atMost, null)
  })
})

describe('drain: notes', () => {
  const rows: [Parameters<typeof answerOf>[1], Parameters<typeof answerOf>[2], RegExp][] = [
    [{ protocol: 'udp' }, {}, /^web is UDP: the kernel keeps a flow for 300 s after its last packet/],
    [{ protocol: null }, {}, /^web may have UDP clients/],
    [{ protocol: 'udp', onePacket: true }, {}, /^web is one-packet: the kernel keeps no connections/],
    [{ persistence: 60 }, {}, /within 60 s return to it.*expire_quiescent_template=1/],
    [
      { persistence: 60 },
      { expiresQuiescentTemplates: true },
      /its clients now go to other servers.*up to 60 s/,
    ],
  ]
  for (const [service, change, text] of rows)
    it(`tell ${text.source}`, () => {
      const notes = drainNotes(answerOf([], service, change))
      assert.equal(notes.length, 1)
      assert.match(notes[0] ?? '', text)
    })

  it('do not exist for plain TCP', () => {
    assert.deepEqual(drainNotes(answerOf([])), [])
  })
})

describe('drain: the picture', () => {
  const many: Draining[] = Array.from({ length: 300 }, (_, n) => ({
    service: 'web',
    real: `[2001:db8:1234:5678:9abc:def0:1234:${n.toString(16)}]:8080`,
    state: n % 3 === 0 ? 'empty' : 'draining',
    weight: 0,
    active: n % 3 === 0 ? 0 : n,
    inactive: 0,
    persistent: 0,
    atMost: null,
  }))

  for (const [width, height] of [
    [80, 24],
    [200, 50],
    [40, 8],
  ] as const)
    it(`fits ${width}x${height}`, () => {
      for (const drainings of [many, many.slice(0, 1), read()]) {
        const screen = { isTerminal: true, width, height, colour: true }
        const lines = progressLines(drainings, { ...WAITING, trouble: 'no lvsd'.repeat(30) }, screen)
        assert.ok(lines.length < height, `${lines.length}`)
        for (const line of lines) assert.ok(widthOf(line) <= width, line)
      }
    })

  it('shows the servers with the most connections, the total, and the time', () => {
    const lines = progressLines(many, WAITING, { isTerminal: true, width: 80, height: 10, colour: false })
    assert.match(lines[0] ?? '', /^STATE +WEIGHT +ACTIVE +INACT +PERSIST +SERVER$/)
    assert.match(lines[1] ?? '', /^draining +0 +299 +0 +0 +web/)
    assert.deepEqual(lines.slice(-2), [
      '100 of 300 servers empty: 30000 active, 295 not shown',
      'waited 1m12s of 5m; Ctrl-C leaves the drain in force',
    ])
  })

  it('shows an end only where it is known', () => {
    const [line] = progressLines(read(answerOf([connections({ inactive: 3 })])), WAITING, {
      isTerminal: true,
      width: 80,
      height: 24,
      colour: false,
    }).slice(-1)
    assert.equal(line, 'waited 1m12s of 5m; empty in at most 2m00s; Ctrl-C leaves the drain in force')
  })
})
