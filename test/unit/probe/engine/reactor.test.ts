import assert from 'node:assert/strict'
import { Reactor } from '../../../../src/probe/engine/reactor.js'
import { EPOLLET, EPOLLIN, openWaker, wake } from '../../../../src/system/epoll.js'
import { closeDescriptor } from '../../../../src/system/numeric-calls.js'
import { onCleanup } from '../../../support/after-each.js'

function opened(): Reactor {
  const reactor = new Reactor()
  onCleanup(() => reactor.close())
  return reactor
}

function waker(): number {
  const fd = openWaker()
  onCleanup(() => void closeDescriptor(fd))
  return fd
}

describe('engine: the reactor', () => {
  it('reads what has arrived before a timer that is due', () => {
    const reactor = opened()
    const fd = waker()
    const seen: string[] = []
    reactor.watch(fd, EPOLLIN + EPOLLET, { ready: () => void seen.push('read') })
    reactor.alarm(0, () => void seen.push('timer'))
    wake(fd)
    reactor.turn(1000)
    assert.deepEqual(seen, ['read', 'timer'])
  })

  it('reads what has arrived during a timer before what comes after reading', () => {
    const reactor = opened()
    const fd = waker()
    const seen: string[] = []
    reactor.watch(fd, EPOLLIN + EPOLLET, { ready: () => void seen.push('read') })
    reactor.alarm(0, () => {
      wake(fd)
      reactor.afterReading(() => void seen.push('after'))
    })
    reactor.turn(1000)
    assert.deepEqual(seen, ['read', 'after'])
  })

  it('reads in the same turn what a timer has made ready', () => {
    const reactor = opened()
    const fd = waker()
    const seen: string[] = []
    reactor.watch(fd, EPOLLIN + EPOLLET, { ready: () => void seen.push('read') })
    reactor.alarm(0, () => {
      seen.push('timer')
      wake(fd)
    })
    reactor.turn(1000)
    assert.deepEqual(seen, ['timer', 'read'])
  })

  it('lets a looker look in the turn of the timer that asks, and again in the next one, before its timers', () => {
    const reactor = opened()
    const seen: string[] = []
    const second = { look: () => void seen.push('second') }
    const first = {
      look: () => {
        seen.push('first')
        reactor.lookSoon(second)
      },
    }
    reactor.alarm(0, () => {
      seen.push('timer')
      reactor.lookSoon(first)
    })
    reactor.turn(1000)
    assert.deepEqual(seen, ['timer', 'first'])
    reactor.alarm(0, () => void seen.push('timer'))
    reactor.turn(1000)
    assert.deepEqual(seen, ['timer', 'first', 'second', 'timer'])
  })

  it('lets a looker look before a call of the timers, which may end it', () => {
    const reactor = opened()
    const seen: string[] = []
    reactor.afterReading(() => reactor.lookSoon({ look: () => void reactor.lookSoon(again) }))
    const again = { look: () => void seen.push('look') }
    reactor.turn(0)
    reactor.alarm(0, () => reactor.afterReading(() => void seen.push('call')))
    reactor.turn(1000)
    assert.deepEqual(seen, ['look', 'call'])
  })

  it('calls timers in their order, and none that was cancelled', () => {
    const reactor = opened()
    const seen: number[] = []
    for (const ms of [3, 1, 2]) reactor.alarm(ms, () => void seen.push(ms))
    reactor.alarm(2, () => void seen.push(99))()
    const end = performance.now() + 10_000
    while (seen.length < 3 && performance.now() < end) reactor.turn(1000)
    assert.deepEqual(seen, [1, 2, 3])
  })

  it('waits no longer than asked', () => {
    const reactor = opened()
    const before = performance.now()
    reactor.turn(20)
    reactor.turn(0)
    assert.ok(performance.now() - before < 5000)
  })

  it('drops an event of a descriptor whose place has another', () => {
    const reactor = opened()
    const [first, second] = [waker(), waker()]
    const seen: string[] = []
    let place = -1
    // Both are ready in the same wait; the first that is handled takes the place of the other.
    const handled = (name: string) => ({
      ready: () => {
        seen.push(name)
        if (seen.length > 1) return
        const other = name === 'first' ? places[1] : places[0]
        reactor.unwatch(other as number)
        place = reactor.watch(waker(), EPOLLIN + EPOLLET, { ready: () => void seen.push('third') })
        assert.equal(place, other)
      },
    })
    const places = [
      reactor.watch(first, EPOLLIN + EPOLLET, handled('first')),
      reactor.watch(second, EPOLLIN + EPOLLET, handled('second')),
    ]
    wake(first)
    wake(second)
    reactor.turn(1000)
    reactor.turn(0)
    assert.equal(seen.length, 1)
    assert.equal(reactor.watched, 2)
  })

  it('tells an errno for a descriptor that cannot be watched, and keeps no place for it', () => {
    const reactor = opened()
    assert.equal(reactor.watch(-1, EPOLLIN, { ready: () => {} }), -9)
    assert.equal(reactor.watched, 0)
  })
})
