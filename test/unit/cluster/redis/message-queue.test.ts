import assert from 'node:assert/strict'
import {
  AT_ONCE,
  LONGEST_MESSAGE,
  MessageQueue,
  MOST_OF_CHANNEL,
} from '../../../../src/cluster/redis/message-queue.js'

describe('message-queue', () => {
  it('passes messages on in their order', () => {
    const queue = new MessageQueue()
    for (const text of ['a', 'b', 'c']) queue.put({ link: 1, channel: 'x', text })
    const { messages, lost } = queue.take()
    assert.deepEqual([messages.map(({ text }) => text), lost, queue.isEmpty], [['a', 'b', 'c'], [], true])
  })

  it('leaves a channel alone that another one floods', () => {
    const queue = new MessageQueue()
    for (let i = 0; i < 10 * MOST_OF_CHANNEL; i++) queue.put({ link: 1, channel: 'flood', text: `${i}` })
    queue.put({ link: 1, channel: 'quiet', text: 'a' })
    const { messages } = queue.take()
    assert.equal(messages.length, AT_ONCE)
    assert.ok(messages.some(({ channel }) => channel === 'quiet'))
  })

  it('says of which channel messages got lost, when the others are taken', () => {
    const queue = new MessageQueue()
    for (let i = 0; i <= MOST_OF_CHANNEL; i++) queue.put({ link: 1, channel: 'x', text: `${i}` })
    let batch = queue.take()
    const texts: string[] = []
    for (; !queue.isEmpty; batch = queue.take()) {
      texts.push(...batch.messages.map(({ text }) => text))
      assert.deepEqual(batch.lost, [])
    }
    texts.push(...batch.messages.map(({ text }) => text))
    assert.deepEqual(batch.lost, [{ link: 1, channel: 'x' }])
    assert.deepEqual(
      texts,
      Array.from({ length: MOST_OF_CHANNEL }, (_, i) => `${i}`),
    )
  })

  it('says so after a second, too, while a flood goes on', () => {
    let now = 0
    const queue = new MessageQueue(() => now)
    const losses: number[] = []
    for (; now <= 2500; now += 20) {
      for (let i = 0; i < 2 * MOST_OF_CHANNEL; i++) queue.put({ link: 1, channel: 'x', text: `${i}` })
      if (queue.take().lost.length > 0) losses.push(now)
    }
    assert.deepEqual(losses, [1000, 2020])
  })

  it('loses what is too long, and what comes when the memory is used up', () => {
    const queue = new MessageQueue()
    queue.put({ link: 1, channel: 'x', text: 'x'.repeat(LONGEST_MESSAGE + 1) })
    assert.deepEqual(queue.take(), { messages: [], lost: [{ link: 1, channel: 'x' }] })
    for (let i = 0; i < 100; i++) queue.put({ link: 1, channel: `${i}`, text: 'x'.repeat(LONGEST_MESSAGE) })
    let taken = 0
    let lost = 0
    while (!queue.isEmpty) {
      const batch = queue.take()
      taken += batch.messages.length
      lost += batch.lost.length
    }
    assert.deepEqual([taken, lost], [16, 84])
    queue.put({ link: 1, channel: 'x', text: 'a' })
    assert.equal(queue.take().messages.length, 1)
  })

  it('forgets what came over a connection that is closed', () => {
    const queue = new MessageQueue()
    queue.put({ link: 1, channel: 'x', text: 'a' })
    queue.put({ link: 2, channel: 'x', text: 'b' })
    queue.drop(1)
    assert.deepEqual(queue.take().messages, [{ link: 2, channel: 'x', text: 'b' }])
  })
})
