/** Log lines about what holds the table. */
import assert from 'node:assert/strict'
import { logListener } from '../../../src/events/log-listener.js'
import { steadyNow } from '../../../src/util/clock.js'
import { recordingLog } from '../../support/logs.js'
import { real, service } from '../../support/tables.js'

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
})
