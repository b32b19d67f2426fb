import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  SYNC_STATES,
  type SyncDaemon,
  type SyncPolicy,
  syncChanges,
  wantedDaemons,
} from '../../../src/core/sync-daemon.js'

const POLICY: SyncPolicy = {
  interface: 'eth0',
  id: 7,
  group: null,
  port: null,
  ttl: null,
  maxLength: null,
  run: 'role',
}
const daemon = (over: Partial<SyncDaemon>): SyncDaemon => {
  const { run: _, ...rest } = POLICY
  return { ...rest, state: 'master', ...over }
}
/** As the kernel fills it in. */
const KERNEL: Pick<SyncDaemon, 'group' | 'port' | 'ttl' | 'maxLength'> = {
  group: '224.0.0.81',
  port: 8848,
  ttl: 1,
  maxLength: 1472,
}

describe('sync daemon', () => {
  it('runs by the role', () => {
    const states = (run: SyncPolicy['run'], role: 'active' | 'standby') =>
      wantedDaemons({ ...POLICY, run }, role)?.map(({ state }) => state) ?? null
    assert.deepEqual(
      [
        states('role', 'active'),
        states('role', 'standby'),
        states('both', 'standby'),
        states('none', 'active'),
      ],
      [['master'], ['backup'], ['master', 'backup'], null],
    )
  })

  it('is changed as little as needed, stops first', () => {
    const show = (wanted: SyncDaemon[], running: SyncDaemon[]) =>
      syncChanges(wanted, running).map(change =>
        change.op === 'stop' ? `stop ${change.state}` : `start ${change.daemon.state}`,
      )
    assert.deepEqual(show([daemon({})], []), ['start master'])
    assert.deepEqual(show([daemon({})], [daemon(KERNEL)]), [])
    assert.deepEqual(show([daemon({ port: 9000 })], [daemon(KERNEL)]), ['stop master', 'start master'])
    assert.deepEqual(show([daemon({ state: 'backup' })], [daemon(KERNEL)]), ['stop master', 'start backup'])
    assert.deepEqual(show([], [daemon(KERNEL)]), ['stop master'])
  })

  it('is as wanted after its changes, from any state', () => {
    const daemons = fc.uniqueArray(
      fc.record<SyncDaemon>({
        state: fc.constantFrom(...SYNC_STATES),
        interface: fc.constantFrom('eth0', 'eth1'),
        id: fc.nat(2),
        group: fc.constantFrom<string | null>(null, 'ff02::81'),
        port: fc.constantFrom<number | null>(null, 9000),
        ttl: fc.constant(null),
        maxLength: fc.constant(null),
      }),
      { selector: ({ state }) => state },
    )
    fc.assert(
      fc.property(daemons, daemons, (wanted, running) => {
        const held = new Map<string, SyncDaemon>(
          running.map(one => [one.state, { ...KERNEL, ...one, group: one.group ?? KERNEL.group }]),
        )
        for (const change of syncChanges(wanted, [...held.values()])) {
          if (change.op === 'stop') assert.ok(held.delete(change.state))
          else {
            assert.ok(!held.has(change.daemon.state), 'the kernel has one of this state')
            const { group, port } = change.daemon
            held.set(change.daemon.state, {
              ...change.daemon,
              ...KERNEL,
              group: group ?? KERNEL.group,
              port: port ?? KERNEL.port,
            })
          }
        }
        assert.deepEqual([...held.keys()].sort(), wanted.map(({ state }) => state).sort())
        assert.deepEqual(syncChanges(wanted, [...held.values()]), [])
      }),
    )
  })
})
