/** Services of an ldirectord.cf that are a dialogue in lines: kind, port, login and what else is taken over. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import type { CheckUse, Real } from '../../../../src/core/model.js'
import { afterImport, loadCf, REAL, site } from '../../../support/config/ldirectord-site.js'

/** The first check, the same whether the file is read or imported, and its real server. */
async function checkOf(text: string): Promise<CheckUse & { readonly real: Real }> {
  const loaded = await loadCf(text)
  const real = loaded.config?.services[0]?.reals[0]
  const use = real?.checks[0]
  assert.ok(real && use, JSON.stringify(loaded.problems))
  assert.deepEqual((await afterImport(loaded))?.services[0]?.reals[0]?.checks[0], use)
  return { ...use, real }
}

const PORTS: readonly [service: string, port: number][] = [
  ['ftp', 21],
  ['smtp', 25],
  ['pop', 110],
  ['nntp', 119],
  ['imap', 143],
  ['submission', 587],
  ['imaps', 993],
  ['pops', 995],
  ['http_proxy', 3128],
  ['sip', 5060],
]

describe('protocols: the service of a dialogue in an ldirectord.cf', () => {
  for (const [service, port] of PORTS) {
    it(`is ${service} by the port ${port}`, async () => {
      const head = `virtual=192.0.2.1:${port}`
      const { kind, policy } = await checkOf(site(`real=198.51.100.1:${port} masq`, { head }))
      assert.deepEqual([kind, policy.timeout], [service, 30_000])
    })

    it(`is ${service} where that is written, on whatever port`, async () => {
      const lines = `real6=[2001:db8::2]:9999 masq\nservice=${service}`
      const { kind, port: asked, real } = await checkOf(site(lines, { head: 'virtual6=[2001:db8::1]:9999' }))
      assert.deepEqual([kind, asked, real.port], [service, null, 9999])
    })

    it(`asks port ${port} for ${service} of a firewall mark without ports`, async () => {
      const { kind, port: asked } = await checkOf(
        site(`real=198.51.100.1 masq\nservice=${service}`, { head: 'virtual=5' }),
      )
      assert.deepEqual([kind, asked], [service, port])
    })
  }

  const own = `@${hostname()}`
  const OPTIONS: readonly [phrase: string, lines: string, expected: Readonly<Record<string, unknown>>][] = [
    ['pop with a login', 'service=pop\nlogin="root"\npasswd="secret"', { login: 'root', passwd: 'secret' }],
    ['imaps unverified', 'service=imaps\nlogin="root"', { login: 'root', verify: false }],
    ['pops unverified', 'service=pops', { login: null, verify: false }],
    ['smtp without a login', 'service=smtp\nlogin="root"', { login: null, starttls: false }],
    ['submission without TLS', 'service=submission\nlogin="root"', { login: null, starttls: false }],
    ['ftp without receive', 'service=ftp', { login: null, passwd: null }],
    [
      'ftp with receive and the login that ldirectord makes up',
      'service=ftp\nrequest="pub/page.txt"\nreceive="is ok"',
      { login: 'anonymous', passwd: `ldirectord${own}`, request: '/pub/page.txt', receive: 'is ok' },
    ],
    [
      'ftp with a login of its own',
      'service=ftp\nlogin="root"\npasswd="secret"',
      { login: 'root', passwd: 'secret' },
    ],
    [
      'sip with the login that ldirectord makes up',
      'service=sip',
      { login: `ldirectord${own}`, transport: 'tcp' },
    ],
    ['sip over udp', 'service=sip\nprotocol=udp\nlogin="a@b"', { login: 'a@b', transport: 'udp' }],
    [
      'http_proxy with a URL',
      'service=http_proxy\nrequest="http://www.example/x?y"\nreceive="ok"',
      { request: 'http://www.example/x?y', receive: 'ok', redirects: 7 },
    ],
    ['http_proxy without', 'service=http_proxy', { request: 'http://localhost/' }],
  ]
  for (const [phrase, lines, expected] of OPTIONS)
    it(`takes ${phrase}`, async () => {
      const { options } = await checkOf(site(`${REAL}\n${lines}`))
      const given = Object.fromEntries(Object.keys(expected).map(name => [name, options[name]]))
      assert.deepEqual(given, expected)
    })

  it('makes up no login where the service is implied by the port', async () => {
    const lines = 'real=198.51.100.1:21 masq\nreceive="ok"'
    assert.equal((await checkOf(site(lines, { head: 'virtual=192.0.2.1:21' }))).options.login, null)
    const sip = site('real=198.51.100.1:5060 masq', { head: 'virtual=192.0.2.1:5060' })
    assert.equal((await checkOf(sip)).options.login, null)
  })

  it('asks sip of a firewall mark over TCP, as ldirectord does', async () => {
    const { options } = await checkOf(site('real=198.51.100.1 masq\nservice=sip', { head: 'virtual=5' }))
    assert.equal(options.transport, 'tcp')
  })

  const PAIRS: readonly [pair: string, request: string][] = [
    ['"http://www.example/", "ok"', 'http://www.example/'],
    ['"page", "ok"', 'http://198.51.100.1:80/page'],
  ]
  for (const [pair, request] of PAIRS)
    it(`fetches ${request} through a proxy whose own request is ${pair}`, async () => {
      const { options } = await checkOf(site(`${REAL} 1 ${pair}\nservice=http_proxy`))
      assert.deepEqual([options.request, options.receive], [request, 'ok'])
    })
})
