import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type App, type Listener, openApp } from '../../../src/api/app.js'
import { LateApp, type LateAppParts } from '../../../src/api/late-app.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import type { StatusDocument } from '../../../src/api/status-types.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { recordingLog } from '../../support/logs.js'

const LISTENER: Listener = {
  authenticate: () => ({ role: 'local', who: () => 'anna' }),
  answering: (_, work) => work(),
  sending: () => {},
}

/** Serves an application that `load` loads. `arrived` resolves to the next request, as it is handed over. */
async function served(load?: LateAppParts['load']) {
  const { log, lines } = recordingLog()
  const app = new LateApp({
    control: controlOf({ status: async () => ({ version: '1' }) as StatusDocument }),
    log,
    ...(load && { load }),
  })
  const server = createServer((request, response) => {
    app.handle(LISTENER, request, response)
    server.emit('handed', request)
  }).listen(0, '::1')
  await once(server, 'listening')
  onCleanup(async () => {
    server.closeAllConnections()
    server.close()
    await app.close()
  })
  const { port } = server.address() as AddressInfo
  const send = () => request({ host: '::1', port, path: '/v1/status', agent: false })
  const ask = async () => {
    const [response] = (await once(send().end(), 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }
  const handed = async () => ((await once(server, 'handed')) as [IncomingMessage])[0]
  return { ask, send, handed, lines }
}

describe('late app: the API that the first request loads', () => {
  it('is loaded once for all requests that come meanwhile, and answers each', async () => {
    let loads = 0
    const { ask } = await served(async parts => {
      loads++
      return openApp({ routes: ROUTES, ...parts })
    })
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, ask)), Array(20).fill(200))
    assert.equal(loads, 1)
  })

  it('has the routes of lvsd', async () => {
    const { ask } = await served()
    assert.equal(await ask(), 200)
  })

  it('does not hand over a request whose client has gone while it was loaded', async () => {
    const seen: IncomingMessage[] = []
    let finish: (app: App) => void = () => {}
    const { send, handed, ask } = await served(
      () =>
        new Promise(resolve => {
          finish = resolve
        }),
    )
    const gone = send()
    gone.on('error', () => {}).end()
    const arrived = await handed()
    gone.destroy()
    await once(arrived.socket, 'close')
    const other = ask()
    await handed()
    finish({
      handle: (_listener, request, response) => {
        seen.push(request)
        response.end()
      },
      inject: () => Promise.reject(new Error('not asked')),
      close: async () => {},
    })
    assert.equal(await other, 200)
    assert.equal(seen.length, 1)
  })

  it('answers 500 and says so where it does not load, and is loaded again by the next request', async () => {
    let loads = 0
    const { ask, lines } = await served(async parts => {
      if (++loads === 1) throw new Error('half of it is there')
      return openApp({ routes: ROUTES, ...parts })
    })
    assert.equal(await ask(), 500)
    assert.deepEqual(
      lines.map(({ event, path }) => ({ event, path })),
      [{ event: 'api.failed', path: '/v1/status' }],
    )
    assert.equal(await ask(), 200)
    assert.equal(loads, 2)
  })
})
