import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BoundedLines,
  type HeardWord,
  judgeVrrp,
  laterWord,
  type PlacedAddress,
  readVrrpLine,
  roleOfState,
  type Sight,
  sightOf,
  VRRP_STATES,
  type WordWay,
} from '../../../src/core/vrrp-role.js'

const VIP = '2001:db8::80'
const here = (order = 1): Sight => ({
  state: 'here',
  text: VIP,
  link: 'eth0',
  found: 1,
  wanted: 1,
  order,
})
const absent = (order = 1): Sight => ({ ...here(order), state: 'absent', link: null, found: 0 })
const word = (state: HeardWord['state'], way: WordWay, order = 2): HeardWord => ({
  kind: 'INSTANCE',
  name: 'VI_1',
  state,
  priority: 100,
  way,
  order,
  began: null,
})

describe('vrrp role', () => {
  it('follows its table', () => {
    const rows: readonly (readonly [Sight | null, HeardWord | null, string | null, boolean])[] = [
      [null, null, null, false],
      [null, word('MASTER', 'memory'), 'active', false],
      [null, word('FAULT', 'command'), 'standby', false],
      [here(), null, 'active', false],
      [here(), word('MASTER', 'command'), 'active', false],
      [here(1), word('BACKUP', 'fifo', 2), 'standby', true],
      [here(3), word('BACKUP', 'fifo', 2), 'active', true],
      [here(1), word('STOP', 'command', 2), 'active', true],
      [here(1), word('DELETED', 'memory', 2), 'active', true],
      [absent(), null, 'standby', false],
      [absent(), word('FAULT', 'fifo'), 'standby', false],
      [absent(1), word('MASTER', 'fifo', 2), 'active', true],
      [absent(3), word('MASTER', 'fifo', 2), 'standby', true],
      [absent(1), word('MASTER', 'command', 2), 'standby', true],
      [{ ...here(), state: 'tentative', found: 0 }, word('MASTER', 'fifo'), 'standby', true],
      [{ ...here(), state: 'duplicate', found: 0 }, null, 'standby', true],
      [{ ...here(), wanted: 2 }, null, 'active', true],
    ]
    for (const [sight, heard, role, isDoubtful] of rows) {
      const judged = judgeVrrp(sight, heard)
      const row = JSON.stringify([sight?.state, heard?.state, heard?.way])
      assert.deepEqual([judged?.role ?? null, (judged?.doubt ?? null) !== null], [role, isDoubtful], row)
    }
  })

  it('says why in one sentence', () => {
    const said = (sight: Sight | null, heard: HeardWord | null) => {
      const { reason, doubt } = judgeVrrp(sight, heard) ?? {}
      return [reason, doubt]
    }
    assert.deepEqual(said(here(), word('MASTER', 'fifo')), [
      '2001:db8::80 is on eth0, and VRRP instance VI_1 says MASTER',
      null,
    ])
    assert.deepEqual(said(here(3), word('BACKUP', 'fifo')), [
      '2001:db8::80 is on eth0',
      '2001:db8::80 is on eth0, but VRRP instance VI_1 says BACKUP',
    ])
    assert.deepEqual(said({ ...absent(), wanted: 2 }, null), [
      'none of 2 virtual addresses is on this machine',
      null,
    ])
    assert.deepEqual(said(null, word('STOP', 'memory')), ['VRRP instance VI_1 said last STOP', null])
  })

  it('sums up addresses: one is enough, lo counts only if it is named', () => {
    const eth = (text: string, flaw: PlacedAddress['flaw'] = null) => ({ text, link: 'eth0', flaw })
    const lo = { text: VIP, link: 'lo', flaw: null }
    const rows: readonly (readonly [PlacedAddress[], string | null, string, string | null])[] = [
      [[], null, 'absent', null],
      [[eth('2001:db8::99')], null, 'absent', null],
      [[eth(VIP, 'tentative')], null, 'tentative', 'eth0'],
      [[eth(VIP, 'duplicate'), eth('2001:db8::81', 'tentative')], null, 'tentative', 'eth0'],
      [[eth(VIP, 'duplicate'), eth('2001:db8::81')], null, 'here', 'eth0'],
      [[lo], null, 'absent', null],
      [[lo], 'lo', 'here', 'lo'],
      [[lo, eth(VIP)], null, 'here', 'eth0'],
      [[eth(VIP)], 'eth1', 'absent', null],
    ]
    for (const [own, link, state, on] of rows) {
      const sight = sightOf([VIP, '2001:db8::81'], own, { link, order: 1 })
      assert.deepEqual([sight.state, sight.link, sight.wanted], [state, on, 2], JSON.stringify(own))
    }
  })

  it('takes the later word, but not one that was overtaken', () => {
    const began = (ms: number) => ({ ...word('BACKUP', 'command'), began: ms })
    const rows: readonly (readonly [HeardWord | null, HeardWord, boolean])[] = [
      [null, word('MASTER', 'memory'), true],
      [word('MASTER', 'fifo'), word('BACKUP', 'command'), false],
      [word('MASTER', 'command'), word('BACKUP', 'fifo'), true],
      [word('MASTER', 'memory'), word('BACKUP', 'command'), true],
      [word('MASTER', 'command'), word('BACKUP', 'memory'), false],
      [began(10), began(9), false],
      [began(10), began(11), true],
    ]
    for (const [known, next, counts] of rows) assert.equal(laterWord(known, next) === next, counts)
  })

  it('is active only with the address here, or with MASTER as the last word', () => {
    const states = fc.constantFrom(...VRRP_STATES)
    const events = fc.array(
      fc.oneof(
        fc.constantFrom('here', 'absent', 'tentative', 'duplicate').map(state => ({ state })),
        fc.record({ said: states, way: fc.constantFrom<WordWay>('fifo', 'command', 'memory') }),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(events, fc.boolean(), (all, isWatched) => {
        let sight: Sight | null = isWatched ? absent(0) : null
        let heard: HeardWord | null = null
        all.forEach((event, i) => {
          if ('said' in event) heard = laterWord(heard, word(event.said, event.way, i + 1))
          else if (sight) sight = { ...here(i + 1), state: event.state as Sight['state'] }
        })
        const judged = judgeVrrp(sight, heard)
        const told = heard as HeardWord | null
        const place = sight as Sight | null
        if (!judged) return void assert.ok(!place && !told)
        const says = told && roleOfState(told.state)
        const isLater = told?.way === 'fifo' && told.order > (place?.order ?? -1)
        if (place?.state === 'tentative' || place?.state === 'duplicate')
          return void assert.equal(judged.role, 'standby')
        const seen = place && (place.state === 'here' ? 'active' : 'standby')
        assert.equal(judged.role, seen === null || (isLater && says) ? says : seen)
        // What goes together raises no doubt, and what does not always does.
        if (seen !== null) assert.equal(judged.doubt !== null, says !== null && says !== seen)
      }),
    )
  })
})

describe('lines of notify_fifo', () => {
  it('are read, with those that tell no state', () => {
    assert.deepEqual(readVrrpLine('INSTANCE "VI_1" MASTER 100'), {
      kind: 'INSTANCE',
      name: 'VI_1',
      state: 'MASTER',
      priority: 100,
    })
    assert.equal(readVrrpLine('GROUP "G 1" FAULT 0')?.name, 'G 1')
    assert.equal(readVrrpLine('INSTANCE "VI_1" DELETED 0')?.state, 'DELETED')
    for (const line of ['MASTER_PRIORITY 60', 'BACKUP_PRIORITY 1', 'MASTER_RX_LOWER_PRI 100'])
      assert.equal(readVrrpLine(`INSTANCE "VI_1" ${line}`), null)
    for (const line of ['', 'INSTANCE VI_1 MASTER 1', 'INSTANCE "VI_1" MASTERS', '\0\0', 'VS "x" UP 1'])
      assert.equal(readVrrpLine(line), undefined, line)
  })

  it('come in any pieces, and never grow without bound', () => {
    const text = 'one\ntwo\n\nthree\n'
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), cuts => {
        const lines = new BoundedLines(16)
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length]
        const parts = edges.slice(1).map((end, i) => text.slice(edges[i], end))
        assert.deepEqual(
          parts.flatMap(part => lines.push(Buffer.from(part))),
          ['one', 'two', '', 'three'],
        )
      }),
    )
    const lines = new BoundedLines(16)
    for (let i = 0; i < 16; i++) assert.deepEqual(lines.push(Buffer.alloc(1 << 16, 0x61)), [])
    assert.deepEqual(lines.push(Buffer.from('a\nfine\n')), [null, 'fine'])
  })
})
