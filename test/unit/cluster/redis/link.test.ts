import assert from 'node:assert/strict'
import type { Connection } from '../../../../src/cluster/redis/client.js'
import { ATTEMPT, Link, LONGEST_PAUSE, PROVE_EVERY } from '../../../../src/cluster/redis/link.js'
import { FakeClock } from '../../../support/fake-clock.js'

/** All promises that are settled have had their effect. */
const settled = () => new Promise(setImmediate)

class Stage {
  readonly clock = new FakeClock()
  readonly told: string[] = []
  readonly opened: { attempt: number; end(error: unknown): void; isClosed: boolean }[] = []
  /** What the next attempts and proofs meet: an error, a promise that never settles, or nothing. */
  opening: () => Promise<unknown> = async () => {}
  proving: () => Promise<unknown> = async () => {}
  readonly link = new Link({
    clock: this.clock,
    open: async (attempt, end) => {
      const one = { attempt, end, isClosed: false }
      this.opened.push(one)
      await this.opening()
      return {
        send: async () => null,
        close: () => {
          one.isClosed = true
        },
      } satisfies Connection
    },
    prove: async () => void (await this.proving()),
    onUp: () => this.told.push('up'),
    onDown: error => this.told.push(`down: ${(error as Error).message}`),
  })

  async wind(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.wind(Math.min(50, left))
      await settled()
    }
  }
}

const fails = async () => {
  throw new Error('refused')
}
const hangs = () => new Promise(() => {})

describe('redis link', () => {
  it('is up when the connection has proved that it works', async () => {
    const stage = new Stage()
    stage.link.start()
    assert.equal(stage.link.connection, null)
    await settled()
    assert.deepEqual(stage.told, ['up'])
    assert.ok(stage.link.connection)
    stage.link.stop()
    assert.equal(stage.clock.alarms, 0)
    assert.equal(stage.opened[0]?.isClosed, true)
  })

  it('tries again after growing pauses, and from another address each time', async () => {
    const stage = new Stage()
    stage.opening = fails
    stage.link.start()
    await stage.wind(30_000)
    assert.ok(stage.opened.length >= 12 && stage.opened.length <= 25, `${stage.opened.length} attempts`)
    assert.deepEqual(
      stage.opened.map(({ attempt }) => attempt),
      stage.opened.map((_, i) => i),
    )
    stage.opening = async () => {}
    await stage.wind(LONGEST_PAUSE)
    assert.equal(stage.told.at(-1), 'up')
    stage.link.stop()
  })

  it('gives up an attempt that hangs, and closes its connection when that comes late', async () => {
    const stage = new Stage()
    let late = (_: unknown) => {}
    stage.opening = () =>
      new Promise(resolve => {
        late = resolve
      })
    stage.link.start()
    await stage.wind(ATTEMPT)
    assert.match(stage.told[0] ?? '', /no connection within/)
    stage.opening = async () => {}
    late(null)
    await stage.wind(200)
    assert.equal(stage.opened[0]?.isClosed, true)
    assert.equal(stage.told.at(-1), 'up')
    stage.link.stop()
  })

  it('gives up an attempt whose proof hangs', async () => {
    const stage = new Stage()
    stage.proving = hangs
    stage.link.start()
    await stage.wind(ATTEMPT + 100)
    assert.equal(stage.opened[0]?.isClosed, true)
    assert.equal(stage.opened.length, 2)
    stage.link.stop()
  })

  it('notices within a second that the connection no longer works', async () => {
    const stage = new Stage()
    stage.link.start()
    await settled()
    stage.proving = fails
    await stage.wind(PROVE_EVERY)
    assert.deepEqual(stage.told, ['up', 'down: refused'])
    assert.equal(stage.link.connection, null)
    stage.proving = async () => {}
    await stage.wind(200)
    assert.deepEqual(stage.told.slice(2), ['up'])
    stage.link.stop()
  })

  it('notices at once that the connection has ended, and hears nothing of an old one', async () => {
    const stage = new Stage()
    stage.link.start()
    await settled()
    stage.opened[0]?.end(new Error('closed'))
    assert.deepEqual(stage.told, ['up', 'down: closed'])
    stage.opened[0]?.end(new Error('closed again'))
    await stage.wind(200)
    stage.opened[0]?.end(new Error('closed again'))
    assert.deepEqual(stage.told, ['up', 'down: closed', 'up'])
    stage.link.stop()
  })

  it('proves a doubtful connection at once, once at a time', async () => {
    const stage = new Stage()
    let proofs = 0
    stage.proving = async () => void proofs++
    stage.link.start()
    await settled()
    const { connection } = stage.link
    assert.ok(connection)
    for (let i = 0; i < 9; i++) stage.link.doubt(connection)
    await settled()
    assert.equal(proofs, 2)
    await stage.wind(PROVE_EVERY)
    assert.equal(proofs, 3)
    stage.link.drop(connection, new Error('silent'))
    assert.equal(stage.told.at(-1), 'down: silent')
    stage.link.drop(connection, new Error('silent'))
    assert.equal(stage.told.length, 2)
    stage.link.stop()
  })

  it('does nothing after its stop', async () => {
    const stage = new Stage()
    stage.opening = fails
    stage.link.start()
    await settled()
    stage.link.stop()
    await stage.wind(10_000)
    assert.equal(stage.opened.length, 1)
    assert.equal(stage.clock.alarms, 0)
  })
})
