/** The checks of directories, databases, RADIUS and Perl scripts, as an ldirectord.cf asks for them. */
import assert from 'node:assert/strict'
import { afterImport, loadCf, REAL, site } from '../../../support/config/ldirectord-site.js'

const CASES: readonly [phrase: string, lines: string, kind: string, options: Record<string, unknown>][] = [
  [
    'ldap',
    'service=ldap\nrequest="dc=example"\nreceive="dc=ex"\nlogin="cn=a"\npasswd="b"',
    'ldap',
    { request: 'dc=example', receive: 'dc=ex', login: 'cn=a', passwd: 'b' },
  ],
  ['ldap of the root entry', 'service=ldap', 'ldap', { request: '', receive: null, login: null }],
  ['ldap with half a login', 'service=ldap\nlogin="cn=a"', 'ldap', { login: null, passwd: null }],
  ['ldap with the other half', 'service=ldap\npasswd="a"', 'ldap', { login: null, passwd: null }],
  ['ldaps', 'service=ldaps\nrequest="dc=example"', 'ldaps', { request: 'dc=example', verify: false }],
  [
    'mysql',
    'service=mysql\nrequest="SELECT * FROM t"\nreceive="x"\nlogin="a"\npasswd="b"\ndatabase="c"',
    'mysql',
    { request: 'SELECT * FROM t', receive: null, login: 'a', passwd: 'b', database: 'c', tls: false },
  ],
  [
    'mysql without a question',
    'service=mysql\nlogin="a"\nreceive="x"',
    'mysql',
    { request: '', receive: null },
  ],
  ['pgsql', 'service=pgsql\nrequest="SELECT 1"\nlogin="a"', 'pgsql', { request: 'SELECT 1', database: null }],
  [
    'oracle',
    'service=oracle\nrequest="SELECT 1"\nlogin="a"\ndatabase="ORCL"',
    'oracle',
    { request: 'SELECT 1', database: 'ORCL', sid: true },
  ],
  [
    'radius',
    'service=radius\nsecret="s"\nlogin="a"\npasswd="b"',
    'radius',
    { secret: 's', login: 'a', passwd: 'b', accept: true },
  ],
  ['radius without a user', 'service=radius\nsecret="s"\npasswd="b"', 'radius', { login: null, passwd: '' }],
  [
    'external-perl',
    'checktype=external-perl\ncheckcommand="/etc/check.pl"',
    'external-perl',
    { checkcommand: '/etc/check.pl' },
  ],
]

async function useOf(text: string) {
  const loaded = await loadCf(text)
  assert.deepEqual(
    loaded.problems.filter(({ severity }) => severity === 'error'),
    [],
  )
  assert.deepEqual(await afterImport(loaded), loaded.config)
  const use = loaded.config?.services[0]?.reals[0]?.checks[0]
  assert(use)
  return use
}

describe('library-checks: a check of an ldirectord.cf through a library', () => {
  for (const [phrase, lines, kind, expected] of CASES)
    it(`has the options that ldirectord looks at: ${phrase}`, async () => {
      const use = await useOf(site(`${REAL}\n${lines}`))
      assert.equal(use.kind, kind)
      const picked = Object.fromEntries(Object.keys(expected).map(key => [key, use.options[key]]))
      assert.deepEqual(picked, expected)
    })

  const PORTS = { ldap: 389, ldaps: 636, mysql: 3306, oracle: 1521, pgsql: 5432, radius: 1812 }
  for (const [service, port] of Object.entries(PORTS))
    it(`goes to port ${port} for ${service}, which that port implies`, async () => {
      const real = `real=198.51.100.1:${port} masq`
      const implied = await useOf(site(real, { head: `virtual=192.0.2.1:${port}` }))
      assert.equal(implied.kind, service)
      const marked = await useOf(site(`real=198.51.100.1 gate\nservice=${service}`, { head: 'virtual=5' }))
      assert.equal(marked.port, port)
    })

  it('has a pair of its own for one real server', async () => {
    const pair = 'real=198.51.100.1:80 masq 1 "ou=web", "^ou"'
    const use = await useOf(site(`${pair}\nservice=ldap\nrequest="dc=example"`))
    assert.deepEqual([use.options.request, use.options.receive], ['ou=web', '^ou'])
    const sql = await useOf(site(`${pair}\nservice=mysql\nlogin="a"`))
    assert.deepEqual([sql.options.request, sql.options.receive], ['ou=web', null])
  })

  it('is measured with checktimeout for ldap, radius and Perl, with negotiatetimeout for databases', async () => {
    const times = 'checktimeout=3\nnegotiatetimeout=7'
    for (const [lines, ms] of [
      ['service=ldap', 3000],
      ['service=radius\nsecret="s"', 3000],
      ['checktype=external-perl\ncheckcommand="/x"', 3000],
      ['service=mysql', 7000],
    ] as const)
      assert.equal((await useOf(site(`${REAL}\n${times}\n${lines}`))).policy.timeout, ms, lines)
  })
})

describe('library-checks: a checktype of a number', () => {
  it('stands for so many connects between two checks', async () => {
    const { kind, connects } = await useOf(site(`${REAL}\nchecktype=4\nservice=http`))
    assert.deepEqual([kind, connects], ['http', 4])
  })

  const NONE: readonly [phrase: string, lines: string][] = [
    ['is 0', 'checktype=0\nservice=http'],
    ['stands by a service that is not checked', 'checktype=4\nservice=none'],
    ['asks over UDP', 'checktype=4\nservice=radius\nsecret="s"'],
    ['is of a virtual of UDP', 'checktype=4\nservice=dns\nrequest="a.example"\nprotocol=udp'],
  ]
  for (const [phrase, lines] of NONE)
    it(`stands for none where it ${phrase}`, async () => {
      assert.equal((await useOf(site(`${REAL}\n${lines}`))).connects, undefined)
    })
})
