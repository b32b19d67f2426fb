/** Log lines about what holds the table. */
import assert from 'node:assert/strict'
import { kernelServices } from '../../../src/core/kernel-services.js'
import { logListener } from '../../../src/events/log-listener.js'
import { steadyNow } from '../../../src/util/clock.js'
import { recordingLog } from '../../support/logs.js'
import { real, SERVICE_ATTRIBUTES, service, serviceId } from '../../support/tables.js'

describe('log-listener', () => {
  it('tells isolation, a lost network and panic loudly, and their ends', () => {
    const { log, lines } = recordingLog()
    const listener = logListener(log)
    const web = service('web', { reals: [real('fd00:1::a')] })
    const since = steadyNow() - 61_000
    listener.isolation?.({ isIsolated: true, since, detail: 'the interface eth1 is down' })
    listener.isolation?.({ isIsolated: false, since, detail: 'the interface eth1 is down' })
    const lost = { since, detail: 'the gateway fe80::1%lan does not answer pings' }
    listener.connectivity?.({ isLost: true, ...lost })
    listener.connectivity?.({ isLost: false, ...lost })
    assert.match(lines.at(-1)?.msg ?? '', /has its network again after 1m01s/)
    listener.panic?.({ service: web, isPanic: true, since, held: 3, reals: [], of: 4 })
    listener.panic?.({ service: web, isPanic: false, since, held: 3, reals: [], of: 4 })
    listener.removal?.({ service: web, real: real('fd00:1::a'), since })
    assert.deepEqual(
      lines.map(({ level, event, detail, seconds, service, real, down, of }) =>
        [level, event, detail, seconds, service, real, down, of].filter(value => value !== undefined),
      ),
      [
        [50, 'director.isolated', 'the interface eth1 is down'],
        [40, 'director.connected', 61],
        [50, 'director.connectivity-lost', lost.detail],
        [40, 'director.connectivity-restored', lost.detail, 61],
        [50, 'service.panic', 'web', 3, 4],
        [40, 'service.panic-over', 61, 'web'],
        [30, 'real.removed', 61, 'web', '[fd00:1::a]:80'],
      ],
    )
  })

  it('tells who gave an override, why, and until when, each in a field of its own', () => {
    const { log, lines } = recordingLog()
    const until = Date.UTC(2026, 10, 29, 6)
    const drain = { effect: { kind: 'drain' }, source: 'command', who: 'anna', since: 0 } as const
    const change = { service: service('web', {}), real: real('fd00:1::a'), before: null, failure: null }
    const listener = logListener(log)
    listener.override?.({ ...change, after: { ...drain, reason: 'disk swap', until } })
    listener.override?.({ ...change, after: { ...drain, reason: '', until: null } })
    listener.override?.({
      ...change,
      after: { ...drain, source: 'file', who: '/m/a', reason: 'ram', until: null },
    })
    assert.deepEqual(
      lines.map(({ event, who, file, reason, until }) => [event, who ?? file, reason, until]),
      [
        ['override.begins', 'anna', 'disk swap', '2026-11-29T06:00:00.000Z'],
        ['override.begins', 'anna', undefined, undefined],
        ['maintenance.begins', '/m/a', 'ram', undefined],
      ],
    )
  })

  it('names the addresses that have no real server, and whether clients are refused', () => {
    const { log, lines } = recordingLog()
    const listener = logListener(log)
    const v4 = serviceId('192.0.2.80')
    const web = service('web', {
      reals: [real('fd00:1::a'), real('10.0.0.1')],
      fallback: real('fd00:1::f'),
      also: [{ id: v4, virtual: atAddress('192.0.2.80'), attributes: SERVICE_ATTRIBUTES, fallback: null }],
    })
    const [first, second] = kernelServices(web)
    assert.ok(first && second)
    listener.traffic?.(web, false, true, [first])
    listener.traffic?.(web, false, false, [first, second])
    listener.traffic?.(web, true, false, [])
    assert.deepEqual(
      lines.map(({ event, msg }) => [event, msg]),
      [
        [
          'service.fallback-in',
          'web: no real server is available for [2001:db8::80]:80, the fallback takes over',
        ],
        [
          'service.refused',
          'web: no real server is available for [2001:db8::80]:80 and 192.0.2.80:80, there is no fallback: clients are refused',
        ],
        [
          'service.fallback-out',
          'web: a real server is available again for each address, the fallback is removed',
        ],
      ],
    )
  })
})

function atAddress(host: string) {
  return { kind: 'address', protocol: 'tcp', host, port: 80, family: 'ipv4' } as const
}
