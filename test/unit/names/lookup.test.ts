import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { type Answer, pointerName } from '../../../src/names/lookup.js'
import { dnsServer, type Zone } from '../../support/dns-server.js'
import { type Files, resolverWith } from '../../support/names/stage.js'
import { address } from '../../support/tables.js'
import { pause, until } from '../../support/until.js'

async function stage(zone: Zone, files: Files = {}, system?: (name: string) => Promise<readonly string[]>) {
  const server = await dnsServer(zone)
  return { server, ...resolverWith(files, { port: server.port, ...(system && { system }) }) }
}

const has = (answer: Answer, address: string) => isDeepStrictEqual(answer, { addresses: [address] })

describe('lookup: the resolver', () => {
  it('asks the name servers for the requested family, and returns addresses in a stable order', async () => {
    const { server, resolver } = await stage({
      'app.example AAAA': ['fd00:9::a2', 'fd00:9::a1'],
      'app.example A': ['192.0.2.1'],
    })
    assert.deepEqual(await resolver.addresses('app.example', 'ipv6'), {
      addresses: ['fd00:9::a1', 'fd00:9::a2'],
    })
    assert.deepEqual(await resolver.addresses('app.example', 'ipv4'), { addresses: ['192.0.2.1'] })
    assert.deepEqual(server.asked, ['app.example AAAA', 'app.example A'])
  })

  it('reads /etc/hosts first, and again after a change', async () => {
    const { server, resolver, write } = await stage({}, { hosts: 'fd00::1 app.example' })
    assert.deepEqual(await resolver.addresses('app.example', 'ipv6'), { addresses: ['fd00::1'] })
    // Of another size: within one tick of the clock of files it has the same date.
    write('hosts', 'fd00::22 app.example')
    await until(async () => has(await resolver.addresses('app.example', 'ipv6'), 'fd00::22'))
    assert.deepEqual(server.asked, [])
  })

  it('uses the search list, and other name servers after a change of resolv.conf', async () => {
    const { server, resolver, write } = await stage(
      { 'www.b.example AAAA': ['fd00::b'] },
      { resolvConf: 'nameserver ::1\nsearch a.example b.example' },
    )
    assert.deepEqual(await resolver.addresses('www', 'ipv6'), { addresses: ['fd00::b'] })
    assert.deepEqual(server.asked, ['www.a.example AAAA', 'www.b.example AAAA'])
    write('resolv.conf', 'nameserver ::1\nsearch c.example\n')
    server.zone['www.c.example AAAA'] = ['fd00::c']
    await until(async () => has(await resolver.addresses('www', 'ipv6'), 'fd00::c'))
  })

  const failures: [string, Zone[string], string][] = [
    ['a name that does not exist', 'NXDOMAIN', 'ENOTFOUND'],
    ['a name without such an address', [], 'ENODATA'],
    ['a server that fails', 'SERVFAIL', 'ESERVFAIL'],
    ['a server that is silent', 'silence', 'ETIMEOUT'],
  ]
  for (const [what, outcome, code] of failures)
    it(`reports ${what}`, async () => {
      const { resolver } = await stage({ 'app.example AAAA': outcome }, { timeout: 1 })
      assert.deepEqual(await resolver.addresses('app.example', 'ipv6'), { code })
    })

  it('reports the failure of a name server if the other names of the search list do not exist', async () => {
    const { resolver } = await stage(
      { 'www.a.example AAAA': 'SERVFAIL' },
      { resolvConf: 'nameserver ::1\nsearch a.example' },
    )
    assert.deepEqual(await resolver.addresses('www', 'ipv6'), { code: 'ESERVFAIL' })
  })

  it('asks the C library if nsswitch.conf has another source, for one name at a time', async () => {
    let running = 0
    let most = 0
    const system = async (name: string) => {
      most = Math.max(most, ++running)
      await pause(20)
      running--
      return name === 'printer.local' ? ['192.0.2.7'] : []
    }
    const { resolver } = await stage({}, { nsswitch: 'hosts: files mdns4 dns' }, system)
    const names = ['a.local', 'printer.local', 'b.local']
    assert.deepEqual(await Promise.all(names.map(name => resolver.addresses(name, 'ipv4'))), [
      { code: 'ENOTFOUND' },
      { addresses: ['192.0.2.7'] },
      { code: 'ENOTFOUND' },
    ])
    assert.equal(most, 1)
  })

  it('does not ask the C library if nsswitch.conf has only name servers', async () => {
    const { resolver } = await stage({}, {}, () => assert.fail('asked'))
    assert.deepEqual(await resolver.addresses('app.example', 'ipv6'), { code: 'ENOTFOUND' })
  })

  it('resolves a name at once while the name servers of hundreds of others are silent', async () => {
    const dead = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`dead${i}.example AAAA`, 'silence' as const]),
    )
    // On a busy machine all are asked at once, and what does not fit into the server's socket is lost.
    const { resolver } = await stage(
      { ...dead, 'good.example AAAA': ['fd00::1'] },
      { timeout: 1, attempts: 4 },
    )
    const lost = Array.from({ length: 300 }, (_, i) => resolver.addresses(`dead${i}.example`, 'ipv6'))
    const first = await Promise.race([resolver.addresses('good.example', 'ipv6'), ...lost])
    assert.deepEqual(first, { addresses: ['fd00::1'] }, 'the good name waited')
    resolver.close()
    await Promise.all(lost)
  })

  it('asks no name server for localhost', async () => {
    const { server, resolver } = await stage({}, { hosts: '127.0.0.1 localhost' })
    assert.deepEqual(await resolver.addresses('localhost', 'ipv6'), { code: 'ENODATA' })
    assert.deepEqual(await resolver.addresses('localhost', 'ipv4'), { addresses: ['127.0.0.1'] })
    assert.deepEqual(server.asked, [])
  })

  it('finds the names of addresses in /etc/hosts and in PTR records', async () => {
    const pointer = `${pointerName('fd00::2', 'ipv6')} PTR`
    const { resolver, server } = await stage(
      { [pointer]: ['web2.example'], [`${pointerName('192.0.2.3', 'ipv4')} PTR`]: 'silence' },
      { hosts: 'fd00::1 web1.example web1', timeout: 1 },
    )
    const names = (text: string) => resolver.names(address(text))
    assert.deepEqual(await names('fd00::1'), ['web1.example', 'web1'])
    assert.deepEqual(await names('fd00::2'), ['web2.example'])
    assert.deepEqual(await names('192.0.2.9'), [])
    assert.equal(await names('192.0.2.3'), null)
    assert.equal(server.asked[0], pointer)
  })
})
