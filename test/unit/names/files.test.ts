import assert from 'node:assert/strict'
import { parseHosts } from '../../../src/names/hosts.js'
import { parseNsswitch } from '../../../src/names/nsswitch.js'
import { candidates, parseResolvConf } from '../../../src/names/resolv-conf.js'

describe('files: the text of /etc/hosts', () => {
  const hosts = parseHosts(
    [
      '# a comment',
      '127.0.0.9 rs.example RS # another',
      'fd00:1:0::9\trs.example',
      'fd00:1::a rs.example',
      'fe80::1%eth0 near',
      '256.1.1.1 wrong',
      'lonely',
    ].join('\r\n'),
  )
  const cases: [string, 'ipv4' | 'ipv6', string[]][] = [
    ['rs.example', 'ipv4', ['127.0.0.9']],
    ['RS.Example.', 'ipv6', ['fd00:1::9', 'fd00:1::a']],
    ['rs', 'ipv4', ['127.0.0.9']],
    ['rs', 'ipv6', []],
    ['near', 'ipv6', ['fe80::1%eth0']],
    ['wrong', 'ipv4', []],
    ['localhost', 'ipv6', ['::1']],
    ['app.localhost', 'ipv4', ['127.0.0.1']],
    ['notlocalhost', 'ipv4', []],
  ]
  for (const [name, family, expected] of cases)
    it(`has ${expected.length} ${family} addresses of ${name}`, () =>
      assert.deepEqual(hosts.addressesOf(name, family), expected))

  it('has the names of an address', () => {
    assert.deepEqual(hosts.namesOf('127.0.0.9'), ['rs.example', 'RS'])
    assert.deepEqual(hosts.namesOf('fd00:1::9'), ['rs.example'])
    assert.deepEqual(hosts.namesOf('192.0.2.1'), [])
  })
})

describe('files: localhost', () => {
  it('is the loopback address in both families, unless /etc/hosts has other addresses', () => {
    const none = parseHosts('')
    assert.deepEqual(
      [none.addressesOf('localhost', 'ipv6'), none.addressesOf('localhost', 'ipv4')],
      [['::1'], ['127.0.0.1']],
    )
    const one = parseHosts('127.0.0.1 localhost')
    assert.deepEqual(
      [one.addressesOf('localhost', 'ipv6'), one.addressesOf('localhost', 'ipv4')],
      [[], ['127.0.0.1']],
    )
  })
})

describe('files: the text of /etc/resolv.conf', () => {
  it('uses the name server of this machine if the file is empty', () =>
    assert.deepEqual(parseResolvConf(''), {
      servers: ['127.0.0.1'],
      search: [],
      ndots: 1,
      timeout: 5000,
      attempts: 2,
      rotate: false,
    }))

  it('has servers, search list and options, within the limits of the C library', () =>
    assert.deepEqual(
      parseResolvConf(
        [
          'nameserver 192.0.2.1',
          'nameserver 2001:db8::53 # one',
          'nameserver not-an-address',
          'nameserver 192.0.2.3',
          'nameserver 192.0.2.4',
          'domain old.example',
          'search a.example b.example.',
          'options ndots:99 timeout:0 attempts:77 rotate edns0',
        ].join('\n'),
      ),
      {
        servers: ['192.0.2.1', '2001:db8::53', '192.0.2.3'],
        search: ['a.example', 'b.example'],
        ndots: 15,
        timeout: 1000,
        attempts: 5,
        rotate: true,
      },
    ))

  it('is overridden by environment variables', () => {
    const env = { LOCALDOMAIN: 'c.example', RES_OPTIONS: 'ndots:3 timeout:x' }
    const { search, ndots, timeout } = parseResolvConf('search a.example\noptions ndots:2', env)
    assert.deepEqual([search, ndots, timeout], [['c.example'], 3, 5000])
  })

  const search = ['a.example', 'b.example']
  const cases: [string, string, number, string[]][] = [
    ['a short name goes through the list first', 'www', 1, ['www.a.example', 'www.b.example', 'www']],
    [
      'a name with enough dots goes first itself',
      'www.c',
      1,
      ['www.c', 'www.c.a.example', 'www.c.b.example'],
    ],
    ['ndots says how many that are', 'www.c', 2, ['www.c.a.example', 'www.c.b.example', 'www.c']],
    ['a name with a dot at its end is whole', 'www.', 1, ['www']],
  ]
  for (const [what, name, ndots, expected] of cases)
    it(what, () => assert.deepEqual(candidates(name, { search, ndots }), expected))
})

describe('files: the text of /etc/nsswitch.conf', () => {
  const cases: [string, { dns: boolean; others: boolean }][] = [
    ['', { dns: true, others: false }],
    ['hosts: files dns', { dns: true, others: false }],
    ['  hosts:\tfiles resolve [!UNAVAIL=return] dns # x', { dns: true, others: false }],
    ['passwd: files\nhosts: files mdns4_minimal [NOTFOUND=return] dns', { dns: true, others: true }],
    ['hosts: files myhostname', { dns: false, others: true }],
    ['#hosts: files\nhosts: files', { dns: false, others: false }],
  ]
  for (const [text, expected] of cases)
    it(`${JSON.stringify(text)}`, () => assert.deepEqual(parseNsswitch(text), expected))
})
