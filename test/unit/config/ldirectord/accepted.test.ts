/** What ldirectord accepts, and what becomes of it. */
import assert from 'node:assert/strict'
import { SERVICES } from '../../../../src/config/ldirectord/kinds.js'
import type { Config, Real, Service } from '../../../../src/core/model.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'
import { loadCf, REAL, site } from '../../../support/config/ldirectord-site.js'

async function load(text: string): Promise<Config> {
  const { config, problems } = await loadCf(text)
  assert.ok(config, JSON.stringify(problems.filter(({ severity }) => severity === 'error')))
  return config
}

async function service(text: string): Promise<Service> {
  const [first] = (await load(text)).services
  assert.ok(first)
  return first
}

async function realOf(text: string): Promise<Real> {
  const [first] = (await service(text)).reals
  assert.ok(first)
  return first
}

/** The first check of the first real server, in one line: kind, target where it differs, options that are given. */
async function checkOf(text: string, ...options: string[]): Promise<string> {
  const [use] = (await realOf(text)).checks
  assert.ok(use)
  const target = [use.host, use.port].filter(part => part !== undefined && part !== null)
  const given = options.map(name => `${name}=${use.options[name]}`)
  return [use.kind, ...target, ...given].join(' ')
}

describe('accepted: an ldirectord.cf that ldirectord accepts', () => {
  it('has the defaults of the program, not of its man page', async () => {
    const { quiescent, cleanstop, attributes, reals } = await service(site(REAL))
    assert.deepEqual(
      [quiescent, cleanstop, attributes.scheduler, reals[0]?.attributes.weight, reals[0]?.checks[0]?.policy],
      [false, true, 'wrr', 1, { interval: 10_000, timeout: 30_000, fall: 1, rise: 1, fastinter: 10_000 }],
    )
  })

  const VIRTUALS: readonly [phrase: string, head: string, expected: string][] = [
    ['an address and a port', 'virtual=192.0.2.1:80', 'tcp:192.0.2.1:80 tcp 80'],
    ['blanks round the =', 'virtual = 192.0.2.1:80', 'tcp:192.0.2.1:80 tcp 80'],
    ['the name of a port', 'virtual=192.0.2.1:http', 'tcp:192.0.2.1:80 tcp 80'],
    ['port 53, which is udp', 'virtual=192.0.2.1:53', 'udp:192.0.2.1:53 udp 53'],
    ['the port domain, which is udp', 'virtual=192.0.2.1:domain', 'udp:192.0.2.1:53 udp 53'],
    ['IPv6', 'virtual6=[2001:DB8:0:0::1]:80', 'tcp:[2001:db8::1]:80 tcp 80'],
    ['a firewall mark', 'virtual=5', 'fwm:5 5 ipv4'],
    ['a firewall mark of IPv6', 'virtual6=5', 'fwm6:5 5 ipv6'],
    ['a comment behind the address', 'virtual=192.0.2.1:80 # shop', 'tcp:192.0.2.1:80 tcp 80'],
  ]
  for (const [phrase, head, expected] of VIRTUALS)
    it(`accepts ${phrase}: ${head}`, async () => {
      const { name, virtual } = await service(site('', { head }))
      const facts =
        virtual.kind === 'fwmark' ? [virtual.fwmark, virtual.family] : [virtual.protocol, virtual.port]
      assert.equal([name, ...facts].join(' '), expected)
    })

  it('keeps a name, which is resolved while lvsd runs', async () => {
    const { virtual } = await service(site('real6=web1.example:80 gate', { head: 'virtual6=www.example:80' }))
    const expected = { kind: 'address', protocol: 'tcp', host: 'www.example', port: 80, family: 'ipv6' }
    assert.deepEqual(virtual, expected)
  })

  const REALS: readonly [phrase: string, line: string, expected: string][] = [
    ['a real server', 'real=198.51.100.1:80 gate', '198.51.100.1:80 gate 1 0 0'],
    ['a weight', 'real=198.51.100.1:80 masq 5', '198.51.100.1:80 masq 5 0 0'],
    ['the weight 0', 'real=198.51.100.1:80 masq 0', '198.51.100.1:80 masq 0 0 0'],
    ['leading zeros', 'real=198.51.100.1:80 masq 007', '198.51.100.1:80 masq 7 0 0'],
    ['a port of its own with masq', 'real=198.51.100.1:8080 masq', '198.51.100.1:8080 masq 1 0 0'],
    ['the name of a port', 'real=198.51.100.1:http masq', '198.51.100.1:80 masq 1 0 0'],
    ['thresholds', 'real=198.51.100.1:80 ipip 5 l:10 u:20', '198.51.100.1:80 ipip 5 10 20'],
    ['no port with masq', 'real=198.51.100.1 masq', '198.51.100.1:0 masq 1 0 0'],
    ['many blanks', 'real  =  198.51.100.1:80   gate   5', '198.51.100.1:80 gate 5 0 0'],
    ['a comment', 'real=198.51.100.1:80 gate 5 # first', '198.51.100.1:80 gate 5 0 0'],
    ['a host name', 'real=web-1.example:80 gate', 'web-1.example:80 gate 1 0 0'],
  ]
  for (const [phrase, line, expected] of REALS)
    it(`accepts ${phrase}: ${line}`, async () => {
      const { host, port, attributes } = await realOf(site(line))
      const { forwarding, weight, lower, upper } = attributes
      assert.equal(`${host}:${port} ${forwarding} ${weight} ${lower} ${upper}`, expected)
    })

  it('makes a real server of each address of a range', async () => {
    const { reals } = await service(site('real=198.51.100.254->198.51.101.1:80 gate 2'))
    assert.deepEqual(
      reals.map(({ host }) => host),
      ['198.51.100.254', '198.51.100.255', '198.51.101.0', '198.51.101.1'],
    )
  })

  const ATTRIBUTES: readonly [line: string, expected: object][] = [
    ['scheduler=rr', { scheduler: 'rr' }],
    [
      'scheduler=sh\nschedflags=sh-port,sh-fallback',
      { scheduler: 'sh', schedulerFlags: ['flag-1', 'flag-2'] },
    ],
    ['persistent=600', { persistence: { timeout: 600, prefix: 32, engine: null } }],
    ['persistent=600\nnetmask=255.255.255.0', { persistence: { timeout: 600, prefix: 24, engine: null } }],
    ['protocol=udp\nops=yes', { onePacket: true }],
    ['ops=no', { onePacket: false }],
  ]
  for (const [lines, expected] of ATTRIBUTES)
    it(`reads ${lines.replace('\n', ', ')}`, async () => {
      const { attributes } = await service(site(`${REAL}\n${lines}`))
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(attributes[key as keyof typeof attributes], value)
    })

  it('groups the clients of an IPv6 service by a prefix length', async () => {
    const { attributes } = await service(
      site('real6=[2001:db8::2]:80 gate\npersistent=60\nnetmask=64', { head: 'virtual6=[2001:db8::1]:80' }),
    )
    assert.equal(attributes.persistence?.prefix, 64)
  })

  const CHECKS: readonly [phrase: string, text: string, options: string[], expected: string][] = [
    ['http by the port', site(REAL), ['request', 'httpmethod'], 'http request=/ httpmethod=GET'],
    [
      'a slash before the request',
      site(`${REAL}\nrequest="index.html"`),
      ['request'],
      'http request=/index.html',
    ],
    [
      'receive as a pattern',
      site(`${REAL}\nreceive="Test\\s+Page"`),
      ['receive'],
      'http receive=Test\\s+Page',
    ],
    ['head in any case', site(`${REAL}\nhttpmethod=head`), ['httpmethod'], 'http httpmethod=HEAD'],
    [
      'virtualhost with quotes',
      site(`${REAL}\nvirtualhost="www.example"`),
      ['virtualhost'],
      'http virtualhost=www.example',
    ],
    [
      'virtualhost without',
      site(`${REAL}\nvirtualhost=www.example`),
      ['virtualhost'],
      'http virtualhost=www.example',
    ],
    ['https unverified', site(`${REAL}\nservice=https`), ['verify'], 'https verify=false'],
    ['redirects as ldirectord', site(REAL), ['redirects', 'otherhosts'], 'http redirects=7 otherhosts=true'],
    ['checkport', site(`${REAL}\ncheckport=8081`), [], 'http 8081'],
    ['connect', site(`${REAL}\nchecktype=connect`), [], 'connect'],
    ['connect in quotes', site(`${REAL}\nchecktype="connect"`), [], 'connect'],
    ['ping', site(`${REAL}\nchecktype=ping`), ['count'], 'ping count=1'],
    ['ping for connect over udp', site(`${REAL}\nprotocol=udp\nchecktype=connect`), [], 'ping'],
    ['on', site(`${REAL}\nchecktype=on`), [], 'on'],
    ['off', site(`${REAL}\nchecktype=off`), [], 'off'],
    ['none by the port', site(REAL, { head: 'virtual=192.0.2.1:9999' }), [], 'none'],
    ['none for a mark', site('real=198.51.100.1 gate', { head: 'virtual=5' }), [], 'none'],
    ['none written out', site(`${REAL}\nservice=none`), [], 'none'],
    [
      'an external command',
      site(`${REAL}\nchecktype=external\ncheckcommand="/bin/check"`),
      ['checkcommand'],
      'external checkcommand=/bin/check',
    ],
    [
      'the command of ldirectord',
      site(`${REAL}\nchecktype=external`),
      ['checkcommand'],
      'external checkcommand=/bin/true',
    ],
    [
      'dns over udp',
      site('real=198.51.100.1:53 gate\nrequest="www.example"\nreceive="192"', {
        head: 'virtual=192.0.2.1:53',
      }),
      ['request', 'transport', 'receive'],
      'dns request=www.example transport=udp receive=192',
    ],
    [
      'dns over tcp',
      site('real=198.51.100.1:53 gate\nprotocol=tcp\nrequest="/www.example"\nreceive="192"', {
        head: 'virtual=192.0.2.1:53',
      }),
      ['request', 'transport'],
      'dns request=www.example transport=tcp',
    ],
    [
      'simpletcp with its one escape',
      site(`${REAL}\nservice=simpletcp\nrequest="a\\tb\\n"\nreceive="ok"`),
      ['request', 'receive'],
      'simpletcp request=a\\\\tb\\n receive=ok',
    ],
    [
      'simpletcp over udp',
      site(`${REAL}\nprotocol=udp\nservice=simpletcp\nrequest="a\\n"\nreceive="ok"`),
      ['request', 'receive', 'reply'],
      'udp request=a\\n receive=ok reply=false',
    ],
    [
      'a request and an answer of a real server',
      site('real=198.51.100.1:80 masq 5 "status", "OK \\d+"\nrequest="a"\nreceive="b"'),
      ['request', 'receive'],
      'http request=/status receive=OK \\d+',
    ],
    [
      'a whole URL',
      site('real=198.51.100.1:80 masq "http://198.51.100.9:9000/ping", "pong"'),
      ['request'],
      'http 198.51.100.9 9000 request=/ping',
    ],
    [
      'the port of the service where a real server has none',
      site('real=198.51.100.1 masq\nservice=http', { head: 'virtual=192.0.2.1:8080' }),
      [],
      'http 80',
    ],
  ]
  for (const [phrase, text, options, expected] of CHECKS)
    it(`checks by ${phrase}`, async () => {
      assert.equal(await checkOf(text, ...options), expected)
    })

  const TIMEOUTS: readonly [globals: string, own: string, negotiate: number, check: number][] = [
    ['', '', 30, 5],
    ['checktimeout=3', '', 3, 3],
    ['negotiatetimeout=7', '', 7, 7],
    ['checktimeout=3\nnegotiatetimeout=7', '', 7, 3],
    ['negotiatetimeout=7', 'checktimeout=2', 2, 2],
    ['checktimeout=3\nnegotiatetimeout=7', 'negotiatetimeout=4', 4, 4],
    ['checktimeout=3', 'checktimeout=2\nnegotiatetimeout=4', 4, 2],
  ]
  for (const [globals, own, negotiate, check] of TIMEOUTS)
    it(`gives ${negotiate} s and ${check} s for [${globals}] and [${own}]`, async () => {
      const timeoutWith = async (lines: string) =>
        (await realOf(site(`${REAL}\n${lines}${own === '' ? '' : `\n${own}`}`, { globals }))).checks[0]
          ?.policy.timeout
      assert.equal(await timeoutWith('service=http'), negotiate * 1000)
      assert.equal(await timeoutWith('checktype=connect'), check * 1000)
    })

  it('gives each ping of checkcount the full timeout', async () => {
    const use = (await realOf(site(`${REAL}\nchecktype=ping\ncheckcount=3\nchecktimeout=2`))).checks[0]
    assert.deepEqual([use?.options.count, use?.policy.timeout], [3, 6000])
  })

  it('uses the checkinterval of a virtual only with fork = yes', async () => {
    const intervalWith = async (globals: string) =>
      (await realOf(site(`${REAL}\ncheckinterval=7`, { globals }))).checks[0]?.policy.interval
    assert.equal(await intervalWith('fork=yes\ncheckinterval=3'), 7000)
    assert.equal(await intervalWith('checkinterval=3'), 3000)
  })

  it('uses the setting of the virtual instead of the global one', async () => {
    const text = site(`${REAL}\nquiescent=no\ncleanstop=yes\nfailurecount=5`, {
      globals: 'quiescent=yes\ncleanstop=no\nfailurecount=3',
    })
    const { quiescent, cleanstop, reals } = await service(text)
    assert.deepEqual([quiescent, cleanstop, reals[0]?.checks[0]?.policy.fall], [false, true, 5])
  })

  it('applies global directives below a virtual to it, too', async () => {
    assert.equal((await service(`${site(REAL)}\nquiescent=yes\n`)).quiescent, true)
  })

  it('uses the last of repeated directives', async () => {
    assert.equal((await service(site(`${REAL}\nscheduler=rr\nscheduler=wlc`))).attributes.scheduler, 'wlc')
  })

  const FALLBACKS: readonly [phrase: string, text: string, expected: string | null][] = [
    ['none', site(REAL), null],
    ['its own', site(`${REAL}\nfallback=198.51.100.9:80 masq`), '198.51.100.9:80 masq'],
    ['direct routing by default', site(`${REAL}\nfallback=127.0.0.1`), '127.0.0.1:80 gate'],
    ['the name of a port', site(`${REAL}\nfallback=127.0.0.1:http masq`), '127.0.0.1:80 masq'],
    ['the global one', site(REAL, { globals: 'fallback=127.0.0.1' }), '127.0.0.1:80 gate'],
    [
      'its own before the global one',
      site(`${REAL}\nfallback=198.51.100.9`, { globals: 'fallback=127.0.0.1' }),
      '198.51.100.9:80 gate',
    ],
    ['not that of the other family', site(REAL, { globals: 'fallback6=[::1]' }), null],
    [
      'that of IPv6',
      site('real6=[2001:db8::2]:80 gate', {
        head: 'virtual6=[2001:db8::1]:80',
        globals: 'fallback6=[::1]\nfallback=127.0.0.1',
      }),
      '::1:80 gate',
    ],
    [
      'a port of its own with masq',
      site(REAL, { globals: 'fallback=127.0.0.1:8080 masq' }),
      '127.0.0.1:8080 masq',
    ],
    [
      'the global one for a mark',
      site('real=198.51.100.1 gate', { head: 'virtual=5', globals: 'fallback=127.0.0.1:80' }),
      '127.0.0.1:80 gate',
    ],
    [
      'no port for a mark',
      site('real=198.51.100.1 gate\nfallback=127.0.0.1', { head: 'virtual=5' }),
      '127.0.0.1:0 gate',
    ],
  ]
  for (const [phrase, text, expected] of FALLBACKS)
    it(`has as its fallback: ${phrase}`, async () => {
      const { fallback } = await service(text)
      assert.equal(
        fallback && `${fallback.host}:${fallback.port} ${fallback.attributes.forwarding}`,
        expected,
      )
    })

  it('keeps several virtuals apart', async () => {
    const { services } = await load(`${site(REAL)}${site(REAL, { head: 'virtual=192.0.2.2:80' })}`)
    assert.deepEqual(
      services.map(({ name }) => name),
      ['tcp:192.0.2.1:80', 'tcp:192.0.2.2:80'],
    )
  })

  it('names a service by its servicename, as one word that is unique', async () => {
    const one = site(`${REAL}\nservicename=Shop front`)
    const other = site(`${REAL}\nservicename=Shop front`, { head: 'virtual=192.0.2.2:80' })
    const { services } = await load(one + other)
    assert.deepEqual(
      services.map(({ name }) => name),
      ['Shop-front', 'tcp:192.0.2.2:80'],
    )
  })

  it('has a check for every service and every checktype', async () => {
    const { checks } = await loadChecks([])
    const kinds = [...SERVICES, 'connect', 'ping', 'on', 'off', 'external', 'external-perl', 'udp']
    assert.deepEqual(
      kinds.filter(kind => !checks.has(kind)),
      [],
    )
  })
})
