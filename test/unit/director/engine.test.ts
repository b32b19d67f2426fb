import assert from 'node:assert/strict'
import { fetchStatus } from '../../../src/api/client.js'
import { type Running, runningDirector } from '../../support/api/running.js'
import { httpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const site = (engine: string, port: number) => `
settings: { engine: ${engine} }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, interval: 100ms, timeout: 5s, fall: 3, rise: 3, fastinter: 100ms }
    reals: ['[::1]:${port}']
`

async function stateOf({ socket }: Running) {
  const { services } = await fetchStatus(socket)
  return services[0]?.reals[0]?.state
}

/** Sum of the results by outcome in the metrics. */
async function outcomes({ daemon }: Running): Promise<Readonly<Record<string, number>>> {
  const { body } = await daemon.metrics.text(undefined)
  const found = `${body}`.matchAll(/^lvsd_service_check_results_total\{.*result="(\w+)".*\} (\d+)$/gm)
  return Object.fromEntries([...found].map(([, outcome = '', count]) => [outcome, Number(count)]))
}

describe('a director with probes in the engine', () => {
  for (const engine of ['native', 'portable'])
    it(`counts each result and takes a server out and back, ${engine}`, async () => {
      let status = 200
      const answered: number[] = []
      const server = await httpServer((_, response) => {
        answered.push(status)
        response.writeHead(status).end('hello')
      })
      const running = await runningDirector(site(engine, server.port))
      await until(async () => (await stateOf(running)) === 'up')
      // Long enough for results that are of no news.
      await until(() => answered.length >= 20)
      status = 500
      await until(async () => (await stateOf(running)) === 'down')
      const failures = answered.filter(code => code === 500).length
      assert.ok(failures >= 3)
      status = 200
      await until(async () => (await stateOf(running)) === 'up')
      const { passed = 0, failed = 0 } = await outcomes(running)
      const count = (code: number) => answered.filter(one => one === code).length
      // The last answers may be on their way.
      assert.ok(failed === count(500), `${failed} of ${count(500)}`)
      assert.ok(passed <= count(200) && passed >= count(200) - 10, `${passed} of ${count(200)}`)
    })
})
