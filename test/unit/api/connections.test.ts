import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Connections } from '../../../src/api/connections.js'

function stage(descriptors: number) {
  const clock = { now: 5000 }
  const connections = new Connections(descriptors, () => clock.now)
  const closed: number[] = []
  const sockets: Socket[] = []
  const add = (count: number) => {
    for (let i = 0; i < count; i++) {
      const number = sockets.length
      const socket = Object.assign(new EventEmitter(), {
        destroy: () => {
          closed.push(number)
          socket.emit('close')
        },
      }) as unknown as Socket
      sockets.push(socket)
      connections.add(socket)
    }
  }
  return { clock, connections, closed, sockets, add }
}

describe('Connections', () => {
  it('closes none of many clients that connect at the same moment, up to the limit of all', () => {
    const { add, closed } = stage(1024)
    add(256)
    assert.deepEqual(closed, [])
    add(2)
    assert.deepEqual(closed, [256, 257])
  })

  it('closes the oldest ones whose client sends nothing for a second, above the limit of these', () => {
    const { add, closed, clock } = stage(1024)
    add(64)
    clock.now += 1001
    assert.deepEqual(closed, [])
    add(3)
    assert.deepEqual(closed, [0, 1, 2])
  })

  it('closes none whose request is handled', async () => {
    const { add, closed, clock, connections, sockets } = stage(1024)
    add(65)
    const [first] = sockets
    assert.ok(first)
    clock.now += 1001
    await connections.answering(first, async () => add(1))
    assert.deepEqual(closed, [1])
  })

  it('has a limit of all that follows from the descriptors', () => {
    for (const [descriptors, most] of [
      [64, 256],
      [20_000, 625],
      [Number.POSITIVE_INFINITY, 2048],
    ] as const) {
      const { add, closed } = stage(descriptors)
      add(most + 1)
      assert.deepEqual(closed, [most])
    }
  })
})
