/** A fallback at a loopback address is the director itself: the kernel must behave as `validate` describes. */
import assert from 'node:assert/strict'
import { fetchPage } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, tableBecomes } from './site/site.js'

describe('a fallback at a loopback address', () => {
  before(() => buildSite(['fc00::80'], [{ name: 'r11', address: 'fc00::11' }]))
  beforeEach(freshDirector)

  async function withFallback(fallback: string): Promise<void> {
    // The only real server has no listener.
    await startLvsd(
      writeConfig(`
services:
  web:
    virtual: '[fc00::80]:80'
    check: { kind: connect, interval: 1s, timeout: 500ms, fall: 1 }
    reals: ['[fc00::11]:80 masq']
    fallback: '${fallback}'
`),
    )
    const [server = '', forwarding] = fallback.split(' ')
    await tableBecomes({ 'tcp [fc00::80]:80': { [server]: forwarding === 'gate' ? 'route 1' : 'masq 1' } })
  }

  it('serves clients by gate, on the port of the service', async () => {
    startRealServer(DIRECTOR)
    await withFallback('[::1]:80 gate')
    assert.equal((await fetchPage('fc00::80')).body, `${DIRECTOR}\n`)
  })

  it('serves no client of another machine by masq', async () => {
    startRealServer(DIRECTOR, 8080)
    await withFallback('[::1]:8080 masq')
    await assert.rejects(fetchPage('fc00::80', '/', { timeout: 3000 }))
  })
})
