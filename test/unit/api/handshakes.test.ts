/** Connections before their TLS handshake use descriptors that checks may need. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Handshakes } from '../../../src/api/handshakes.js'

function stage() {
  const clock = { now: 5000 }
  const handshakes = new Handshakes(() => clock.now)
  const closed: number[] = []
  let last = 0
  const add = (count: number) => {
    for (let i = 0; i < count; i++) {
      const remotePort = ++last
      const socket = Object.assign(new EventEmitter(), {
        remoteAddress: '::1',
        remotePort,
        destroy: () => {
          closed.push(remotePort)
          socket.emit('close')
        },
      }) as unknown as Socket
      handshakes.add(socket)
    }
  }
  return { clock, handshakes, closed, add }
}

describe('handshakes', () => {
  it('are ended in favour of new ones, the oldest first, once they have had their time', () => {
    const { clock, handshakes, closed, add } = stage()
    add(128)
    clock.now += 1001
    assert.deepEqual(closed, [])
    add(2)
    assert.deepEqual(closed, [1, 2])
    assert.equal(handshakes.size, 128)
  })

  it('are at most 512, and that many can begin at the same moment', () => {
    const { handshakes, closed, add } = stage()
    add(512)
    assert.deepEqual(closed, [])
    add(3)
    assert.deepEqual(closed, [513, 514, 515])
    assert.equal(handshakes.size, 512)
  })

  it('count no more when they are complete, and then end with the connection only', () => {
    const { handshakes, closed, add } = stage()
    add(2)
    handshakes.done({ remoteAddress: '::1', remotePort: 1 } as Socket)
    assert.equal(handshakes.size, 1)
    handshakes.close()
    assert.deepEqual(closed, [2])
    assert.equal(handshakes.size, 0)
  })
})
