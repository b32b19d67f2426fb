import assert from 'node:assert/strict'
import { diff } from '../../../src/core/diff.js'
import { keyOfReal, type ServiceId } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import { ConnectionCounts } from '../../../src/director/connection-counts.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { FakeClock } from '../../support/fake-clock.js'
import { config, real, service, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const MAIL_ID = serviceId('2001:db8::25', 25)
const SITE = config([service('web', { reals: [ONE, TWO] }), service('mail', { id: MAIL_ID, reals: [ONE] })])
const TABLE = table(
  tableService(serviceId('2001:db8::80'), [tableReal('fd00:1::1', { weight: 0 })]),
  tableService(MAIL_ID, [tableReal('fd00:1::1')]),
)
const DRAIN: Override = {
  effect: { kind: 'drain' },
  source: 'command',
  who: 'anna',
  reason: '',
  since: 0,
  until: null,
}

async function stage() {
  const kernel = memoryKernel()
  await kernel.apply(diff(TABLE, new Map(), new Set()))
  const read: string[] = []
  const clock = new FakeClock()
  const counts = new ConnectionCounts({
    kernel: {
      timeouts: kernel.timeouts,
      async reals(id: ServiceId, expected) {
        const held = await kernel.reals(id, expected)
        read.push([...held.keys()].join())
        const counted = [...held].map(([key, { real, counters }]) => {
          return [key, { real, counters: { ...counters, active: 3, inactive: 4, persistent: 5 } }] as const
        })
        return new Map(counted)
      },
    },
    config: () => SITE,
    table: () => TABLE,
    overrideOf: one => (one === ONE ? DRAIN : null),
    now: clock.now,
    settings: () => ({ expireQuiescentTemplate: true, expireNodestConn: null }),
  })
  return { counts, read, clock }
}

describe('connection-counts', () => {
  it('are those of the kernel, with the weight and the override of each server', async () => {
    const { counts } = await stage()
    const answer = await counts.read({ targets: [{ service: 'web', real: null }] })
    assert.deepEqual([answer.trouble, answer.expiresQuiescentTemplates], [null, true])
    const [web] = answer.services
    assert.deepEqual(
      web?.reals.map(one => [
        one.name,
        one.override?.effect,
        one.weight,
        one.active,
        one.inactive,
        one.persistent,
      ]),
      [
        ['[fd00:1::1]:80', 'drain', 0, 3, 4, 5],
        ['[fd00:1::2]:80', undefined, null, 0, 0, 0],
      ],
    )
  })

  it('read no service but those asked for, and each once in half a second', async () => {
    const { counts, read, clock } = await stage()
    const targets = [{ service: 'web', real: '[fd00:1::1]:80' }]
    const key = keyOfReal(tableReal('fd00:1::1'))
    await counts.read({ targets })
    clock.wind(400)
    const { services } = await counts.read({ targets: [...targets, ...targets] })
    assert.equal(services[0]?.reals.length, 1)
    assert.deepEqual(read, [key])
    clock.wind(400)
    await counts.read({ targets })
    assert.deepEqual(read, [key, key])
  })

  it('tell what does not exist', async () => {
    const { counts } = await stage()
    const answer = await counts.read({ targets: [{ service: 'www', real: null }] })
    assert.deepEqual(
      [answer.trouble, answer.services],
      ['there is no service "www"; there are: web, mail', []],
    )
  })
})
