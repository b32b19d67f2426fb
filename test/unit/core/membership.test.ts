import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  DIFFERS_AFTER,
  differingParts,
  type KnownMembers,
  type Member,
  memberOf,
  nextMembers,
} from '../../../src/core/membership.js'

const member = (id: string, config = 'a'): Member => ({
  id,
  instance: 'i',
  host: `host-${id}`,
  version: '1',
  config,
  role: 'active',
  uptime: 1,
  heartbeat: 1000,
})

const READING = { now: 0, config: 'a', isFirst: false, graceUntil: 0, heartbeat: 1000 }
const told = (known: KnownMembers, reading: Partial<Parameters<typeof nextMembers>[1]>) => {
  const { members, events } = nextMembers(known, { ...READING, members: [], ...reading })
  return { members, events: events.map(({ kind, member: { id } }) => `${id} ${kind}`) }
}

describe('membership', () => {
  it('tells of directors that come and go, but not of those of the first reading', () => {
    const first = told(new Map(), { isFirst: true, members: [member('x')] })
    assert.deepEqual(first.events, [])
    const second = told(first.members, { members: [member('x'), member('y')] })
    assert.deepEqual(second.events, ['y joined'])
    assert.deepEqual(told(second.members, { members: [member('y')] }).events, ['x left'])
  })

  it('waits for those that are missing after Redis was away', () => {
    const { members } = told(new Map(), { members: [member('x')] })
    const waiting = told(members, { now: 10, graceUntil: 20 })
    assert.deepEqual([waiting.events, [...waiting.members.keys()]], [[], ['x']])
    assert.deepEqual(told(waiting.members, { now: 20, graceUntil: 20 }).events, ['x left'])
  })

  it('waits longer for those with a longer heartbeat', () => {
    const { members } = told(new Map(), { members: [{ ...member('x'), heartbeat: 3000 }] })
    const waiting = told(members, { now: 4019, graceUntil: 20 })
    assert.deepEqual([waiting.events, [...waiting.members.keys()]], [[], ['x']])
    assert.deepEqual(told(waiting.members, { now: 4020, graceUntil: 20 }).events, ['x left'])
    const short = told(new Map(), { members: [{ ...member('x'), heartbeat: 200 }] }).members
    assert.deepEqual(told(short, { now: 19, graceUntil: 20 }).events, [])
  })

  it('tells of another configuration when it lasts, and of its end', () => {
    const other = [member('x', 'b')]
    const first = told(new Map(), { isFirst: true, members: other })
    assert.equal(first.members.get('x')?.differsSince, 0)
    const before = told(first.members, { now: DIFFERS_AFTER - 1, members: other })
    assert.deepEqual(before.events, [])
    const after = told(before.members, { now: DIFFERS_AFTER, members: other })
    assert.deepEqual(after.events, ['x differs'])
    assert.deepEqual(told(after.members, { now: DIFFERS_AFTER + 9, members: other }).events, [])
    assert.deepEqual(told(after.members, { members: [member('x')] }).events, ['x agrees'])
    assert.deepEqual(told(first.members, { now: 9, members: [member('x')] }).events, [], 'a short difference')
  })

  it('tells each change once, and knows at each time who is there', () => {
    const readings = fc.array(
      fc.record({
        ids: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
        configs: fc.array(fc.constantFrom('a', 'b'), { minLength: 3, maxLength: 3 }),
        own: fc.constantFrom('a', 'b'),
        ms: fc.nat(DIFFERS_AFTER),
        isFresh: fc.boolean(),
      }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(readings, steps => {
        let known: KnownMembers = new Map()
        let now = 0
        const there = new Set<string>()
        const differing = new Set<string>()
        for (const [i, { ids, configs, own, ms, isFresh }] of steps.entries()) {
          now += ms
          const members = ids.map((id, j) => member(id, configs[j]))
          const next = nextMembers(known, {
            now,
            config: own,
            members,
            isFirst: i === 0,
            graceUntil: isFresh ? now + 1 : 0,
            heartbeat: 1000,
          })
          if (i === 0) for (const id of ids) there.add(id)
          for (const { kind, member: one } of next.events) {
            const set = kind === 'joined' || kind === 'left' ? there : differing
            const isBegin = kind === 'joined' || kind === 'differs'
            assert.equal(set.has(one.id), !isBegin, `${one.id} ${kind}`)
            if (isBegin) set.add(one.id)
            else set.delete(one.id)
            if (kind === 'left') differing.delete(one.id)
          }
          known = next.members
          assert.deepEqual([...known.keys()].sort(), [...there].sort())
          for (const id of ids) assert.ok(known.has(id))
          if (!isFresh) assert.equal(known.size, ids.length)
          for (const id of differing) assert.notEqual(known.get(id)?.differsSince, null)
        }
      }),
    )
  })

  it('names the services that differ', () => {
    assert.deepEqual(differingParts({ web: '1', mail: '2', old: '3' }, { web: '1', mail: '9', new: '3' }), [
      'mail',
      'new',
      'old',
    ])
  })

  it('reads what a newer lvsd writes, and nothing else', () => {
    assert.deepEqual(memberOf(JSON.stringify({ ...member('x'), schema: 9, more: [1] })), member('x'))
    const other = { ...member('x'), role: 'observer', config: { services: 'a' }, uptime: 'long' }
    assert.deepEqual(memberOf(JSON.stringify({ ...other, schema: 2 })), {
      ...member('x', ''),
      role: 'standby',
      uptime: 0,
    })
    assert.equal(memberOf(JSON.stringify({ ...other, schema: 1 })), null)
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"id":"x"}',
      JSON.stringify({ ...member('x'), role: 'king' }),
    ])
      assert.equal(memberOf(text), null, text)
    fc.assert(fc.property(fc.json(), text => void memberOf(text)))
  })
})
