import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keyOfReal, keyOfService } from '../../../src/core/model.js'
import {
  allotMarks,
  leadsThrough,
  markedId,
  markedServices,
  marksOfOthers,
  pathOf,
  pathsOf,
  type ServicePath,
  withoutMarked,
} from '../../../src/core/service-path.js'
import { address, real, service, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const RANGE = { from: 100, count: 8 }
const anyKeys = fc.uniqueArray(fc.constantFrom(...'abcdefghijkl'), { maxLength: 12 })
const anyTaken = fc.uniqueArray(fc.integer({ min: 95, max: 112 })).map(marks => new Set(marks))
const NONE: ReadonlyMap<string, number> = new Map()

function path(host = 'fd00:1::a', forwarding: 'gate' | 'masq' | 'ipip' = 'gate'): ServicePath {
  const web = service('web', { reals: [real(host, { forwarding, weight: 7, upper: 9 })] })
  const found = web.reals[0] && pathOf(web, web.reals[0])
  assert.ok(found)
  return found
}

describe('core: the paths of services', () => {
  it('have different marks of the range that no other program uses, as many as there are', () => {
    fc.assert(
      fc.property(anyKeys, anyTaken, (keys, taken) => {
        const marks = [...allotMarks(keys, RANGE, NONE, taken).values()]
        const free = Array.from({ length: RANGE.count }, (_, i) => RANGE.from + i).filter(
          mark => !taken.has(mark),
        )
        assert.equal(new Set(marks).size, marks.length)
        assert.equal(marks.length, Math.min(keys.length, free.length))
        assert.ok(marks.every(mark => free.includes(mark)))
      }),
    )
  })

  it('keep their marks whatever comes, goes and changes its order', () => {
    fc.assert(
      fc.property(anyKeys, anyKeys, anyTaken, (first, second, taken) => {
        const before = allotMarks(first, RANGE, NONE, taken)
        const after = allotMarks(second, RANGE, before, taken)
        for (const [key, mark] of after) if (before.has(key)) assert.equal(mark, before.get(key))
        assert.ok(second.filter(key => before.has(key)).every(key => after.has(key)))
      }),
    )
  })

  it('get other marks where the range has moved, or another program has taken theirs', () => {
    const before = new Map([
      ['a', 100],
      ['b', 101],
    ])
    assert.deepEqual(
      [...allotMarks(['a', 'b'], { from: 101, count: 8 }, before, new Set())],
      [
        ['b', 101],
        ['a', 102],
      ],
    )
    assert.deepEqual(
      [...allotMarks(['a', 'b'], RANGE, before, new Set([101]))],
      [
        ['a', 100],
        ['b', 102],
      ],
    )
  })

  it('have a service of the kernel each, with their server alone, its forwarding and weight 1', () => {
    const one = path()
    const marked = markedServices(
      pathsOf([{ path: one }, { path: one }, { path: null }]),
      new Map([[one.key, 100]]),
    )
    assert.deepEqual([...marked.keys()], ['fwmark 100 ipv6'])
    const [held] = marked.values()
    assert.deepEqual(
      [...(held?.reals ?? [])],
      [['[fd00:1::a]:80', tableReal('fd00:1::a', { forwarding: 'gate', weight: 1 })]],
    )
    assert.equal(leadsThrough(held, one), true)
    assert.equal(one.key, 'tcp [2001:db8::80]:80 [fd00:1::a]:80')
    assert.deepEqual([one.virtual.text, one.port], ['2001:db8::80', 80])
    assert.equal(markedServices(pathsOf([{ path: one }]), NONE).size, 0)
  })

  it('remember a UDP check in the kernel only where its answer has to be translated', () => {
    const isOnePacket = (one: ServicePath) =>
      [...markedServices(pathsOf([{ path: one }]), new Map([[one.key, 1]])).values()][0]?.onePacket
    assert.equal(isOnePacket(path('fd00:1::a', 'ipip')), true)
    assert.equal(isOnePacket(path('fd00:1::a', 'masq')), false)
  })

  it('do not lead through a service with another server, another forwarding, weight 0 or a second server', () => {
    const one = path()
    const id = markedId(one, 100)
    const own = tableReal('fd00:1::a', { forwarding: 'gate', weight: 1 })
    for (const reals of [
      [],
      [tableReal('fd00:1::b', { forwarding: 'gate', weight: 1 })],
      [{ ...own, forwarding: 'ipip' as const }],
      [{ ...own, weight: 0 }],
      [own, tableReal('fd00:1::b', { forwarding: 'gate', weight: 1 })],
    ])
      assert.equal(leadsThrough(tableService(id, reals), one), false)
    assert.equal(leadsThrough(undefined, one), false)
  })

  it('of a service with addresses of both families go to the first one that the server is in', () => {
    const v4 = { kind: 'address', protocol: 'tcp', address: address('192.0.2.80'), port: 80 } as const
    const first = real('192.0.2.11', { forwarding: 'gate' })
    const web = service('web', { reals: [first] })
    const both = {
      ...web,
      also: [
        {
          id: v4,
          virtual: { kind: 'address', protocol: 'tcp', host: '192.0.2.80', port: 80, family: 'ipv4' },
          attributes: web.attributes,
          fallback: null,
        },
      ],
    } as const
    assert.equal(pathOf(both, first)?.virtual.text, '192.0.2.80')
    assert.equal(pathOf({ ...web, id: { kind: 'fwmark', fwmark: 1, family: 'ipv6' } }, first), null)
  })

  it('are told from services of other programs and of the configuration', () => {
    const marked = { kind: 'fwmark', fwmark: 100, family: 'ipv6' } as const
    const other = { kind: 'fwmark', fwmark: 101, family: 'ipv4' } as const
    const held = table(
      tableService(marked, []),
      tableService(other, []),
      tableService(serviceId('2001:db8::80'), []),
    )
    assert.deepEqual([...marksOfOthers(held, new Set([keyOfService(marked)]))], [101])
    const owned = new Set(held.keys())
    assert.deepEqual(
      [...withoutMarked(owned, new Map([['a path', 100]]))],
      ['fwmark 101 ipv4', 'tcp [2001:db8::80]:80'],
    )
    assert.equal(keyOfReal(path().real), '[fd00:1::a]:80')
  })
})
