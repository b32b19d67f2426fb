import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DueHeap, type HeapItem } from '../../../src/util/due-heap.js'

describe('due-heap: the heap', () => {
  it('returns the smallest entry first after any additions, moves and removals', () => {
    const step = fc.record({
      item: fc.nat(15),
      due: fc.option(fc.integer({ min: 0, max: 20 })),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const items = Array.from({ length: 16 }, (): HeapItem => ({ due: 0, heapIndex: -1 }))
        const heap = new DueHeap<HeapItem>()
        const inside = new Map<number, number>()
        for (const { item, due } of steps) {
          if (due === null) {
            heap.remove(items[item] as HeapItem)
            inside.delete(item)
          } else {
            heap.put(items[item] as HeapItem, due)
            inside.set(item, due)
          }
          assert.equal(heap.first?.due, inside.size > 0 ? Math.min(...inside.values()) : undefined)
        }
        const drained: number[] = []
        for (let first = heap.first; first; first = heap.first) {
          drained.push(first.due)
          heap.remove(first)
        }
        assert.deepEqual(
          drained,
          [...inside.values()].sort((a, b) => a - b),
        )
      }),
    )
  })
})
