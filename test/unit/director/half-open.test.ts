/** Which jobs belong to a real server of the kernel's table, whose clients get no answer. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import {
  type HealthState,
  keyOfReal,
  keyOfService,
  type ResolvedConfig,
  type ResolvedService,
} from '../../../src/core/model.js'
import { jobFinder, stateFinder, upFor } from '../../../src/director/half-open.js'
import { HealthStore } from '../../../src/health/health-store.js'
import {
  address,
  config,
  passed,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
  use,
} from '../../support/tables.js'

const CHECKS = new Map<string, Check>(
  ['on', 'other'].map(name => [
    name,
    { name, summary: name, options: () => ({}), perService: false, run: async () => passed() },
  ]),
)
const key = (text: string, port = 80) => keyOfService(serviceId(text, port))
const realKey = (text: string) => keyOfReal({ address: address(text), port: 80 })

function rig(site: ResolvedConfig, entries = tablesOf(site.services)) {
  const store = new HealthStore()
  let asked = 0
  const take = (next: ResolvedConfig) => void store.applyConfig(next, CHECKS, 0)
  take(site)
  const find = jobFinder(
    () => table(...entries),
    stateFinder(() => ({
      get config() {
        return store.config
      },
      checkStatesOf: server => {
        asked++
        return store.checkStatesOf(server)
      },
    })),
  )
  const names = (virtual: string, server: string, port = 80) =>
    find(key(virtual, port), realKey(server)).map(id => store.jobs.get(id)?.use.kind)
  return { find, names, take, asked: () => asked }
}

function tablesOf(services: readonly ResolvedService[], weight = 1) {
  return services.map(({ id, reals }) =>
    tableService(
      id ?? serviceId('::'),
      reals.map(({ host }) => tableReal(host, { weight })),
    ),
  )
}

const REALS = [real('fd00:1::1', { checks: [use('on'), use('other')] }), real('fd00:1::2')]
const WEB = service('web', { id: serviceId('2001:db8::80'), reals: REALS })

describe('half-open: the jobs of a real server', () => {
  it('are those of its checks in this service', () => {
    const other = service('other', {
      id: serviceId('2001:db8::81'),
      reals: [real('fd00:1::1', { checks: [use('other', { of: 'another' })] })],
    })
    const { names } = rig(config([WEB, other]))
    assert.deepEqual(names('2001:db8::80', 'fd00:1::1'), ['on', 'other'])
    assert.deepEqual(names('2001:db8::80', 'fd00:1::2'), ['on'])
    assert.deepEqual(names('2001:db8::81', 'fd00:1::1'), ['other'])
    assert.deepEqual(names('2001:db8::82', 'fd00:1::1'), [])
  })

  it('are none where the table gives it no new connections', () => {
    const { names } = rig(config([WEB]), tablesOf([WEB], 0))
    assert.deepEqual(names('2001:db8::80', 'fd00:1::1'), [])
  })

  it('are not those of checks through the path of the service', () => {
    const reals = [real('fd00:1::1', { checks: [{ ...use('on'), path: 'service' }, use('other')] })]
    const { names } = rig(config([{ ...WEB, reals }]))
    assert.deepEqual(names('2001:db8::80', 'fd00:1::1'), ['other'])
  })

  it('are those of each of its addresses, and of a new configuration', () => {
    const also = [
      { virtual: WEB.virtual, id: serviceId('2001:db8::90'), fallback: null, attributes: WEB.attributes },
    ]
    const entry = { ...WEB, id: serviceId('2001:db8::90') }
    const { names, take } = rig(config([WEB]), tablesOf([WEB, entry]))
    assert.deepEqual(names('2001:db8::90', 'fd00:1::2'), [])
    take(config([{ ...WEB, also }]))
    assert.deepEqual(names('2001:db8::90', 'fd00:1::2'), ['on'])
    assert.deepEqual(names('2001:db8::80', 'fd00:1::2'), ['on'])
  })

  it('are found without a look at all others', () => {
    const services = Array.from({ length: 500 }, (_, i) =>
      service(`${i}`, { id: serviceId('2001:db8::80', i + 1), reals: REALS }),
    )
    const { names, asked } = rig(config(services))
    for (let i = 0; i < 500; i++) assert.equal(names('2001:db8::80', 'fd00:1::2', i + 1).length, 1)
    assert.equal(asked(), 500)
  })
})

describe('half-open: a server has been up', () => {
  const health = (state: HealthState, since: number) => ({ health: { state, since, streak: 0, last: null } })

  it('since the last of its checks was that are up', () => {
    assert.equal(upFor([health('up', 1000), health('up', 4000), health('down', 5000)], 9000), 5)
  })

  it('for no time where none of them is, as before the first result', () => {
    for (const states of [[], [health('down', 4000)], [health('unknown', 0)]])
      assert.equal(upFor(states, 9000), 0)
  })
})
