import assert from 'node:assert/strict'
import { SyncKeeper } from '../../../src/cluster/sync-keeper.js'
import type { Role } from '../../../src/core/role.js'
import type { SyncPolicy } from '../../../src/core/sync-daemon.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { until } from '../../support/until.js'

const POLICY: SyncPolicy = {
  interface: 'eth0',
  id: 7,
  group: null,
  port: 8849,
  ttl: null,
  maxLength: null,
  run: 'role',
}

function stage() {
  const kernel = memoryKernel()
  const { log, lines } = recordingLog()
  const clock = new FakeClock()
  const state: { role: Role } = { role: 'standby' }
  const keeper = new SyncKeeper({ sync: kernel.sync, log, clock, role: () => state.role })
  onCleanup(() => keeper.close())
  const running = async () => (await kernel.byHand.sync.daemons()).map(one => `${one.state} ${one.interface}`)
  return { kernel, keeper, clock, state, lines, running }
}

describe('sync keeper', () => {
  it('follows the role, and repairs what another program does', async () => {
    const { kernel, keeper, clock, state, lines, running } = stage()
    keeper.follow(POLICY)
    await keeper.now()
    assert.deepEqual(await running(), ['backup eth0'])
    state.role = 'active'
    await keeper.now()
    assert.deepEqual(await running(), ['master eth0'])
    assert.deepEqual(
      keeper.snapshot.daemons.map(({ state, port }) => [state, port]),
      [['master', 8849]],
    )
    await kernel.byHand.sync.stop('master')
    clock.wind(10_000)
    await until(async () => (await running()).length === 1)
    await keeper.now()
    assert.deepEqual(
      lines.map(({ event, state }) => `${event} ${state}`),
      ['sync.started backup', 'sync.stopped backup', 'sync.started master', 'sync.started master'],
    )
  })

  it('touches nothing without a policy, and only shows with run: none', async () => {
    const { kernel, keeper, running } = stage()
    kernel.synchronize('backup')
    keeper.follow(null)
    await keeper.now()
    assert.deepEqual([(await running()).length, keeper.snapshot.daemons], [1, []])
    keeper.follow({ ...POLICY, run: 'none' })
    await keeper.now()
    assert.deepEqual([(await running()).length, keeper.snapshot.daemons.length], [1, 1])
  })

  it('tells a refusal once, and its end', async () => {
    const { kernel, keeper, lines, running } = stage()
    kernel.refuse(command => (command === 'NEW_DAEMON' ? 'ENODEV' : null))
    keeper.follow(POLICY)
    await keeper.now()
    assert.match(keeper.snapshot.trouble ?? '', /sync daemon on eth0: there is no such interface/)
    kernel.refuse(() => null)
    await keeper.now()
    assert.deepEqual([await running(), keeper.snapshot.trouble], [['backup eth0'], null])
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['sync.refused', 'sync.started', 'sync.works'],
    )
  })
})
