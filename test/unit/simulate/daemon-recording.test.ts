/** A recording of a running director with a real server, replayed. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import type { Config } from '../../../src/core/model.js'
import { startDirector } from '../../../src/director/compose.js'
import { readRecording } from '../../../src/simulate/recording.js'
import { replay } from '../../../src/simulate/replay.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { until } from '../../support/until.js'

const siteAt = (port: number, fall: number) => `settings: { socket: s.sock, state: state, record: 24h }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, interval: 300ms, timeout: 200ms, fastinter: 300ms, fall: ${fall} }
    reals: ['[::1]:${port}']
`

/** An HTTP server whose next answers fail, as many as are asked for. */
async function failingServer() {
  const state = { failures: 0, requests: 0 }
  const server = createServer((_, response) => {
    state.requests++
    response.writeHead(state.failures-- > 0 ? 500 : 200, { connection: 'close' }).end('ok\n')
  })
  await new Promise<void>(resolve => server.listen(0, '::1', resolve))
  onCleanup(() => new Promise(resolve => server.close(resolve)))
  return { state, port: (server.address() as AddressInfo).port }
}

describe('the recording of a director', () => {
  it('holds what happened, from which follows what would have happened with another fall', async () => {
    const { state, port } = await failingServer()
    const folder = temporaryFolder()
    const file = temporaryFile('site.yaml', siteAt(port, 1).replace('state: state', `state: ${folder}`))
    const loaded = await loadConfig(file)
    const { config } = loaded
    assert.ok(config, JSON.stringify(loaded.problems))
    const daemon = await startDirector({
      loaded: { ...loaded, config },
      kept: null,
      keep: async () => {},
      load: () => loadConfig(file),
      table: 'memory',
      isTrial: false,
      log: recordingLog().log,
      env: {},
    })
    onCleanup(() => daemon.stop())
    const becomes = (wanted: string) =>
      until(async () => (await daemon.status()).services[0]?.reals[0]?.state === wanted, { what: wanted })
    await becomes('up')
    for (const failures of [1, 4]) {
      state.failures = failures
      await becomes('down')
      await becomes('up')
    }
    await daemon.stop()
    const path = join(folder, 's-results')
    const recording = readRecording(path)
    const removalsWith = async (fall: number) => {
      const { config: other, checks } = await loadConfig(temporaryFile('other.yaml', siteAt(port, fall)))
      const { servers, hasPolicies, problems } = await replay({
        config: other as Config,
        checks,
        recording,
        path,
      })
      assert.deepEqual([hasPolicies, problems], [true, []])
      return servers.map(({ was, would }) => [was?.outages.length, would?.outages.length])
    }
    assert.deepEqual(await removalsWith(1), [[2, 2]])
    assert.deepEqual(await removalsWith(2), [[2, 1]])
    assert.deepEqual(await removalsWith(9), [[2, 0]])
  })
})
