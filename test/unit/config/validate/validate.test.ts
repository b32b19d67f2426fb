import assert from 'node:assert/strict'
import { type Check, defineCheck, up } from '../../../../src/check/check.js'
import { loadConfig } from '../../../../src/config/load.js'
import { validate } from '../../../../src/config/validate/validate.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'
import { parseHosts } from '../../../../src/names/hosts.js'
import { configOf, problemsOf, serviceOf, siteWith, validated } from '../../../support/config/config-of.js'
import { ATTRIBUTES, POLICY, SERVICE_ATTRIBUTES, SETTINGS } from '../../../support/tables.js'

const EXAMPLE = new URL('../../../../config/example.yaml', import.meta.url).pathname

describe('validate: a configuration', () => {
  it('is frozen at all levels', async () => {
    const config = await configOf(siteWith('check: http', "reals: ['[2001:db8:1::11]']"))
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      assert.ok(Object.isFrozen(value))
      Object.values(value).forEach(walk)
    }
    walk(config)
  })

  it('has the documented defaults', async () => {
    const { settings } = await configOf('services: {}\n')
    assert.deepEqual(settings, SETTINGS)
    const { resync, removalLimit, timeouts, checks, logLevel } = settings
    assert.deepEqual([resync, removalLimit, timeouts, checks, logLevel], ['auto', 50, null, [], 'info'])
    const service = await serviceOf(siteWith('check: connect', "reals: ['[2001:db8:1::11]']"))
    assert.deepEqual(service.attributes, SERVICE_ATTRIBUTES)
    assert.deepEqual([service.quiescent, service.cleanstop, service.fallback], [false, false, null])
    const [real] = service.reals
    assert.deepEqual(real?.attributes, ATTRIBUTES)
    assert.deepEqual(real?.checks[0]?.policy, POLICY)
    assert.deepEqual([real?.port, real?.need], [80, 1])
  })

  it('reports errors in defaults that no service uses', () => {
    const text = `defaults: { persistence: { timeot: 5s }, fallback: , fallbackcommand: 7 }
services: {}
`
    assert.deepEqual(
      validated(text).problems.map(({ at, code, message }) => `${at.column} ${code} ${message}`),
      [
        '28 UNKNOWN_KEY "timeot" is not a key of persistence; did you mean "timeout"?',
        '42 WRONG_TYPE "fallback" has no value; to cancel the default write none',
        '71 WRONG_TYPE "fallbackcommand" must be text, not the number 7; put it in quotes: \'7\'',
        '1 NO_SERVICES no services: nothing is balanced',
      ],
    )
  })

  const UNUSED: readonly [phrase: string, check: string, expected: readonly string[]][] = [
    ['a kind', '{ kind: htp }', ['1:28 UNKNOWN_CHECK']],
    ['a kind that is a number', '{ kind: 5 }', ['1:28 UNKNOWN_CHECK']],
    ['an option', '{ kind: dns, request: x, recieve: y }', ['1:45 UNKNOWN_KEY']],
    ['the value of an option', '{ kind: dns, request: 5 }', ['1:42 WRONG_TYPE']],
    ['options that do not go together', '{ kind: tls, verify: false, ca: /x }', ['1:52 OPTION_FILE']],
    ['the policy', '{ kind: ping, fall: 0, interval: 1ms }', ['1:40 OUT_OF_RANGE', '1:53 SHORT_INTERVAL']],
    ['one of several', '[ping, { kind: dns, rqst: x }]', ['1:40 UNKNOWN_KEY']],
    ['nothing', '{ kind: external, timeout: 2s }', []],
  ]
  for (const [phrase, check, expected] of UNUSED)
    it(`reports errors in a check of defaults that no service uses: ${phrase}`, async () => {
      const services = siteWith('check: connect', "reals: ['[2001:db8:1::11]']")
      assert.deepEqual(await problemsOf(`defaults: { check: ${check} }\n${services}`), expected)
    })

  const OPTIONS: readonly [check: string, expected: string][] = [
    ['{ kind: http, login: "a:b", passwd: x }', '4:33 CHECK_OPTIONS'],
    ['{ kind: http, headers: { A: b, "C D": e } }', '4:50 CHECK_OPTIONS'],
    ['{ kind: http, receive: a, text: b }', '4:44 CHECK_OPTIONS'],
    ['{ kind: tls, pin: [x] }', '4:31 CHECK_OPTIONS'],
    ['{ kind: tls, ca: /etc/hosts }', '4:29 CHECK_OPTIONS'],
    ['{ kind: tls, verify: true, ca: /etc/hosts }', '4:43 OPTION_FILE'],
    ['{ kind: dialogue, steps: [send x, sned y] }', '4:46 CHECK_OPTIONS'],
    ['{ kind: external, checkcommand: /bin/true, arguments: [a, "{x}"] }', '4:70 CHECK_OPTIONS'],
    ['{ kind: dns, request: "a b" }', '4:34 CHECK_OPTIONS'],
  ]
  for (const [check, expected] of OPTIONS)
    it(`reports the position within ${check}`, async () => {
      const text = siteWith(`check: ${check}`, "reals: ['[2001:db8:1::11]']")
      assert.deepEqual(await problemsOf(text), [expected])
    })

  it('reports errors in the policy of defaults that no service uses', async () => {
    const text = 'defaults: { check: { fall: 0, request: 5 } }\nservices: {}\n'
    assert.deepEqual(await problemsOf(text), ['1:28 OUT_OF_RANGE', '2:1 NO_SERVICES'])
  })

  it('does not report a check of defaults that the service completes', async () => {
    const services = siteWith(
      'check: { kind: tls, verify: true, minversion: TLSv1.3 }',
      "reals: ['[2001:db8:1::11]']",
    )
    const defaults = 'defaults: { check: { kind: tls, verifyname: x, minversion: TLSv1.2 } }\n'
    assert.deepEqual(await problemsOf(`${defaults}${services}`), [])
  })

  it('reads its settings', async () => {
    const text = `settings:
  resync: 500ms
  resolve: 2m
  concurrency: 20
  removal-limit: 12.5%
  socket: /tmp/lvsd.sock
  state: /tmp/lvsd
  timeouts: { tcp: 15m, udp: 30 }
  log-level: debug
services: {}
`
    const { settings } = await configOf(text)
    assert.deepEqual(
      [settings.resync, settings.resolve, settings.concurrency, settings.removalLimit, settings.logLevel],
      [500, 120_000, 20, 12.5, 'debug'],
    )
    assert.deepEqual(settings.timeouts, { tcp: 900, tcpFin: 0, udp: 30 })
    assert.deepEqual([settings.socket, settings.state], ['/tmp/lvsd.sock', '/tmp/lvsd'])
  })

  it('is valid in config/example.yaml', async () => {
    const { config, problems } = await loadConfig(EXAMPLE)
    assert.deepEqual(problems, [])
    const [web, dns, mail] = config?.services ?? []
    assert.deepEqual(
      web?.reals.map(({ attributes }) => attributes.weight),
      [1, 2, 1],
    )
    assert.deepEqual(
      web?.reals.map(({ checks }) => checks[0]?.options.request),
      ['/health', '/health', '/status'],
    )
    assert.equal(web?.fallback?.host, '2001:db8:1::99')
    assert.deepEqual(
      dns?.reals[0]?.checks.map(({ kind }) => kind),
      ['dns', 'ping'],
    )
    assert.equal(dns?.reals[0]?.need, 2)
    assert.deepEqual(mail?.virtual, { kind: 'fwmark', fwmark: 1, family: 'ipv6' })
    assert.deepEqual(mail?.attributes.schedulerFlags, ['flag-2'])
    assert.deepEqual(mail?.attributes.persistence, { timeout: 300, prefix: 64, engine: null })
    assert.equal(mail?.reals[0]?.checks[0]?.port, 25)
  })
})

describe('validate: a service', () => {
  it('may have a name as its address, with one family or any', async () => {
    const text = `services:
  any: { virtual: 'www.example:http', check: none, reals: [web1.example] }
  six: { virtual: 'www6.example:80', family: ipv6, check: none, reals: [web1.example] }
`
    const [any, six] = (await configOf(text)).services
    const virtual = { kind: 'address', protocol: 'tcp', host: 'www.example', port: 80, family: null }
    assert.deepEqual(any?.virtual, virtual)
    assert.deepEqual(six?.virtual, { ...virtual, host: 'www6.example', family: 'ipv6' })
    assert.deepEqual([any?.reals[0]?.host, any?.reals[0]?.port], ['web1.example', 80])
  })

  it('resolves port names for its protocol', async () => {
    const text =
      "services:\n  dns: { virtual: '[2001:db8::53]:domain', protocol: udp, check: none, reals: ['[2001:db8:1::1]'] }\n"
    const service = await serviceOf(text)
    assert.deepEqual(
      [service.virtual.kind === 'address' && service.virtual.port, service.reals[0]?.port],
      [53, 53],
    )
  })

  it('of a firewall mark has port 0 for real servers without a port', async () => {
    const text = `services:
  mail:
    fwmark: 4294967295
    family: ipv6
    check: ping
    reals: ['[2001:db8:1::31]', '[2001:db8:1::32]:80', '[2001:db8:1::33]:8080 gate']
`
    const { virtual, reals } = await serviceOf(text)
    assert.deepEqual(virtual, { kind: 'fwmark', fwmark: 4_294_967_295, family: 'ipv6' })
    assert.deepEqual(
      reals.map(({ port }) => port),
      [0, 80, 8080],
    )
  })

  it('may share a mark with a service of the other family, and an address with one of another protocol', async () => {
    const text = `services:
  four: { fwmark: 1, family: ipv4, check: ping, reals: [192.0.2.1] }
  six: { fwmark: 1, family: ipv6, check: ping, reals: ['[2001:db8:1::1]'] }
  tcp: { virtual: '[2001:db8::53]:53', check: connect, reals: ['[2001:db8:1::1]'] }
  udp: { virtual: '[2001:db8::53]:53', protocol: udp, check: ping, reals: ['[2001:db8:1::1]'] }
`
    assert.deepEqual(await problemsOf(text), [])
  })

  it('reports both positions if it conflicts with another service', async () => {
    const text = `services:
  one: { virtual: '[2001:db8::80]:80', check: none, reals: [web1.example] }
  two: { virtual: '[2001:DB8:0:0::80]:http', check: none, reals: [web1.example] }
`
    const { problems } = await loadConfig('site.yaml', { text })
    assert.deepEqual(
      problems.map(({ message, at }) => [at.line, message]),
      [[3, '"two" is the same service as "one" in line 2: tcp [2001:db8::80]:80']],
    )
  })

  it('is reported if a reader returns two services with the same name', () => {
    const { root } = readYaml(siteWith('reals: []'), 'site.yaml')
    const services = root?.entries[0]?.value
    const [part] = root?.entries ?? []
    assert.ok(root && part && services?.kind === 'map')
    const twice = { ...services, entries: [...services.entries, ...services.entries] }
    const document = { root: { ...root, entries: [{ ...part, value: twice }] }, problems: [] }
    const { problems } = validate({ file: 'site.yaml', document, checks: new Map(), ports: () => null })
    assert.ok(problems.some(({ code, at }) => code === 'DUPLICATE_SERVICE' && at.line === 2))
  })

  it('may be persistent by only a timeout, by a prefix length, or by a netmask', async () => {
    const persistence = async (virtual: string, value: string) =>
      (
        await serviceOf(
          `services:\n  web: { virtual: '${virtual}', persistence: ${value}, check: none, reals: [] }\n`,
        )
      ).attributes.persistence
    const six = '[2001:db8::80]:80'
    assert.deepEqual(await persistence(six, '10m'), { timeout: 600, prefix: 128, engine: null })
    assert.deepEqual(await persistence(six, '{ prefix: 48 }'), { timeout: 300, prefix: 48, engine: null })
    assert.deepEqual(await persistence('192.0.2.80:80', '90'), { timeout: 90, prefix: 32, engine: null })
    assert.equal((await persistence('192.0.2.80:80', '{ netmask: 255.255.240.0 }'))?.prefix, 20)
    assert.equal((await persistence('192.0.2.80:80', '{ netmask: 0.0.0.0 }'))?.prefix, 0)
    assert.deepEqual(await persistence('[2001:db8::80]:0', '60s'), { timeout: 60, prefix: 128, engine: null })
  })

  it('cancels persistence with none', async () => {
    const text = `defaults: { persistence: 60s }\n${siteWith('persistence: none', 'check: none', 'reals: []')}`
    assert.equal((await serviceOf(text)).attributes.persistence, null)
  })

  it('inherits the flags of the scheduler only together with the scheduler', async () => {
    const flags = async (...lines: readonly string[]) => {
      const defaults = 'defaults: { scheduler: sh, scheduler-flags: [sh-port, sh-fallback, sh-port] }\n'
      return (await serviceOf(defaults + siteWith(...lines, 'check: none', 'reals: []'))).attributes
        .schedulerFlags
    }
    assert.deepEqual(await flags(), ['flag-1', 'flag-2'])
    assert.deepEqual(await flags('scheduler: sh'), ['flag-1', 'flag-2'])
    assert.deepEqual(await flags('scheduler: rr'), [])
    assert.deepEqual(await flags('scheduler-flags: []'), [])
  })

  it('uses one-packet of defaults only for UDP services', async () => {
    const text = `defaults: { one-packet: true }
services:
  web: { virtual: '[2001:db8::80]:80', check: none, reals: [] }
  dns: { virtual: '[2001:db8::53]:53', protocol: udp, check: none, reals: [] }
  all: { fwmark: 1, family: ipv6, check: none, reals: [] }
`
    const { services } = await configOf(text)
    assert.deepEqual(
      services.map(({ attributes }) => attributes.onePacket),
      [false, true, true],
    )
  })

  it('does not hide the errors of another service', async () => {
    const text = `settings: { resink: 5s }
services:
  one: { virtual: '[2001:db8::1]:80', scheduler: wcl, check: http, reals: [] }
  two: { virtual: '[2001:db8::2]', check: htp, reals: ['[2001:db8:1::g]', '[2001:db8:1::1]:80 mask'] }
  three: 7
`
    assert.deepEqual(await problemsOf(text), [
      '1:13 UNKNOWN_KEY',
      '3:50 UNKNOWN_SCHEDULER',
      '3:68 NO_REALS',
      '4:19 NO_PORT',
      '4:43 UNKNOWN_CHECK',
      '4:57 BAD_ADDRESS',
      '4:95 UNKNOWN_WORD',
      '5:10 WRONG_TYPE',
    ])
  })
})

describe('validate: a real server', () => {
  it('inherits missing keys from its service, then from defaults', async () => {
    const text = `defaults: { forwarding: gate, weight: 5, upper: 100 }
services:
  web:
    virtual: '[2001:db8::80]:80'
    weight: 7
    check: none
    reals:
      - '[2001:db8:1::1]'
      - { address: '[2001:db8:1::2]', weight: 0, forwarding: ipip }
      - '[2001:db8:1::3] masq 9'
`
    const { reals } = await serviceOf(text)
    assert.deepEqual(
      reals.map(({ attributes: { forwarding, weight, upper } }) => [forwarding, weight, upper]),
      [
        ['gate', 7, 100],
        ['ipip', 0, 100],
        ['masq', 9, 100],
      ],
    )
  })

  it('has a tunnel port only with gue, and a checksum only with gue and gre', async () => {
    const lines = ['check: none', 'tunnel-port: 6080', 'tunnel-checksum: csum', 'reals:']
    const reals = ['gue', 'gre', 'ipip', 'masq'].map((word, i) => `  - '[2001:db8:1::${i + 1}] ${word}'`)
    const service = await serviceOf(siteWith(...lines, ...reals))
    assert.deepEqual(
      service.reals.map(({ attributes }) => [attributes.tunnelPort, attributes.tunnelChecksum]),
      [
        [6080, 'csum'],
        [0, 'csum'],
        [0, 'none'],
        [0, 'none'],
      ],
    )
  })

  it('is the same in short form and as a mapping', async () => {
    const short = await serviceOf(siteWith('check: none', "reals: ['[2001:db8:1::1]:8080 masq 3']"))
    const long = await serviceOf(
      siteWith('check: none', "reals: [{ address: '[2001:db8:1::1]:8080', forwarding: masq, weight: 3 }]"),
    )
    assert.deepEqual(short, long)
  })

  it('may be in two services', async () => {
    const text = `services:
  one: { virtual: '[2001:db8::1]:80', check: none, reals: ['[2001:db8:1::1]'] }
  two: { virtual: '[2001:db8::2]:80', check: none, reals: ['[2001:db8:1::1]'] }
`
    assert.deepEqual(await problemsOf(text), [])
  })

  it('of the other family is reported once for each service, if a tunnel leads there', async () => {
    const text = siteWith('check: none', 'forwarding: ipip', 'reals: [192.0.2.1, 192.0.2.2, 192.0.2.3]')
    assert.deepEqual(await problemsOf(text), ['6:13 MIXED_FAMILY'])
  })
})

describe('validate: the family of a server that is a name', () => {
  const six = (real: string, ...lines: readonly string[]) =>
    siteWith('check: none', ...lines, `reals: [${real}]`)
  const cases: [string, string, string[]][] = [
    ['of the service needs no tunnel', six('{ address: www, family: ipv6 }'), []],
    ['may be the other one through a tunnel', six('{ address: www, family: ipv4, forwarding: ipip }'), []],
    ['is not the other one without a tunnel', six('{ address: www, family: ipv4 }'), ['FAMILY_MISMATCH']],
    [
      'is not the other one than that of its address',
      six("{ address: '[fd00::1]', family: ipv4, forwarding: ipip }"),
      ['FAMILY_MISMATCH'],
    ],
    [
      'is told of a fallback as well',
      six('www', 'fallback: { address: sorry, family: ipv4 }'),
      ['FAMILY_MISMATCH'],
    ],
  ]
  for (const [what, text, codes] of cases)
    it(what, async () =>
      assert.deepEqual(
        (await problemsOf(text)).map(problem => problem.split(' ')[1]),
        codes,
      ),
    )

  it('is kept', async () => {
    const { reals } = await serviceOf(six('{ address: www, family: ipv4, forwarding: ipip }, www2'))
    assert.deepEqual(
      reals.map(({ family }) => family),
      ['ipv4', undefined],
    )
  })
})

describe('validate: a name that /etc/hosts has in only one family', () => {
  const hosts = parseHosts(
    '127.0.0.1 localhost rs.example\nfd00::1 six.example both.example\n192.0.2.1 both.example',
  )
  const told = (text: string) =>
    validate({
      file: 'site.yaml',
      document: readYaml(text, 'site.yaml'),
      checks: new Map(),
      ports: () => null,
      hosts,
    })
      .problems.filter(({ code }) => code === 'NAME_FAMILY')
      .map(({ message }) => message)

  it('is reported if the other family is required, with the existing addresses', () => {
    const reals = 'reals: [localhost, rs.example, six.example, both.example, other.example]'
    assert.deepEqual(told(siteWith('check: none', 'fallback: rs.example', reals)), [
      'rs.example has no IPv6 address in /etc/hosts; it has 127.0.0.1; a name server may know one',
      'localhost has no IPv6 address in /etc/hosts; it has 127.0.0.1',
      'rs.example has no IPv6 address in /etc/hosts; it has 127.0.0.1; a name server may know one',
    ])
  })

  it('is not reported if this family is required', () => {
    const real = '{ address: rs.example, family: ipv4, forwarding: ipip }'
    assert.deepEqual(told(siteWith('check: none', `reals: [${real}]`)), [])
  })

  it('is reported for a virtual address', () => {
    const site =
      "services: { web: { virtual: 'rs.example:80', family: ipv6, check: none, reals: ['[fd00::1]'] } }"
    assert.equal(told(site).length, 1)
  })
})

describe('validate: a fallback', () => {
  it('of the defaults is the first one of the family of the service', async () => {
    const text = `defaults: { fallback: [127.0.0.1, '[::1]:8080', '[::2]:8080'] }
services:
  six: { virtual: '[2001:db8::80]:80', check: none, reals: [] }
  four: { virtual: 192.0.2.80:443, check: none, reals: [] }
  none: { virtual: '[2001:db8::81]:80', fallback: none, check: none, reals: [] }
  own: { virtual: '[2001:db8::82]:80', fallback: '[2001:db8:1::99] gate', check: none, reals: [] }
  mark: { fwmark: 1, family: ipv6, check: none, reals: [] }
`
    const { services } = await configOf(text)
    assert.deepEqual(
      services.map(
        ({ fallback }) => fallback && [fallback.host, fallback.port, fallback.attributes.forwarding],
      ),
      [
        ['::1', 8080, 'masq'],
        ['127.0.0.1', 443, 'masq'],
        null,
        ['2001:db8:1::99', 80, 'gate'],
        ['::1', 8080, 'masq'],
      ],
    )
  })

  it('of the defaults does not apply to services of the other family', async () => {
    const text = `defaults: { fallback: 127.0.0.1 }\n${siteWith('check: none', 'reals: []')}`
    assert.equal((await serviceOf(text)).fallback, null)
  })
})

/** A check with options of every sort, and one that says what it would send. */
const PROBING: Check = defineCheck({
  name: 'asking',
  aliases: ['ask'],
  summary: 'asks',
  options: kit => ({
    question: kit.text(undefined, 'What to ask'),
    answer: kit.maybeText('What to hear'),
    patience: kit.duration('2s', 'How long to listen'),
    codes: kit.list(['a'], 'Codes'),
  }),
  validate: ({ question, answer }) => (question === answer ? 'the answer is the question' : null),
  probe: ({ address, port }) => ({
    kind: 'tcp',
    address,
    port,
    send: new Uint8Array(),
    end: false,
    reset: false,
    judge: { kind: 'connected' },
  }),
}) as unknown as Check

const RUNNING: Check = defineCheck({
  name: 'running',
  summary: 'runs',
  options: kit => ({ loud: kit.flag(false, 'Loud') }),
  run: async () => up('ran'),
}) as unknown as Check

const CHECKS = [PROBING, RUNNING]

function usesOf(...lines: readonly string[]) {
  const { config, problems } = validated(lines.join('\n'), CHECKS)
  assert.ok(config, JSON.stringify(problems))
  return config.services[0]?.reals.map(({ checks }) => checks) ?? []
}

const HEAD = ['services:', '  web:', "    virtual: '[2001:db8::80]:80'"]
const REAL = "      - address: '[2001:db8:1::1]'"

describe('validate: a server at a loopback address', () => {
  const told = async (fallback: string, reals = "'[2001:db8:1::1]:80'") => {
    const text = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    check: 'on'\n    fallback: ${fallback}\n    reals: [${reals}]\n`
    const { problems } = await loadConfig('site.yaml', { text })
    const loopback = problems.filter(({ code }) => code === 'LOOPBACK')
    return loopback.map(({ severity, at, message }) => `${severity} ${at.line}:${at.column} ${message}`)
  }

  it('is the director itself: masq does not reach it, and gate uses the port of the service', async () => {
    assert.deepEqual(await told("'[::1]:8080 masq'"), [
      'warning 5:16 ::1 is the director itself: with masq the kernel drops the packets of clients on other machines; with gate clients reach what listens on this machine at the virtual address, port 80',
    ])
    assert.deepEqual(await told('localhost gate'), [
      'note 5:15 localhost is the director itself: with gate clients reach what listens on this machine at the virtual address, port 80',
    ])
  })

  it('is also reported for a real server', async () => {
    const reals = "'[2001:db8:1::1]:80', '[::1]:80 masq'"
    assert.match((await told('none', reals)).join(), /^warning 6:\d+ ::1 is the director itself: with masq/)
  })

  it('is not reported if all servers are local, as in a trial on one machine', async () => {
    assert.deepEqual(await told("'[::1]:8080'", "'[::1]:80'"), [])
  })
})

describe('validate: the checks of a real server', () => {
  it('have their options parsed, with defaults, under the name of the kind', () => {
    const [[use] = []] = usesOf(
      ...HEAD,
      '    check: { kind: ask, question: x, patience: 1m }',
      '    reals:',
      REAL,
    )
    assert.equal(use?.kind, 'asking')
    assert.deepEqual(use?.options, { question: 'x', answer: null, patience: 60_000, codes: ['a'] })
  })

  it('are shared by the real servers without checks of their own', () => {
    const [one, two] = usesOf(...HEAD, '    check: running', '    reals:', REAL, REAL.replace('::1]', '::2]'))
    assert.equal(one?.[0], two?.[0])
  })

  const laid: readonly (readonly [string, readonly string[], unknown])[] = [
    [
      'keep what the real server does not change',
      [
        '    check: { kind: asking, question: x, fall: 5 }',
        '    reals:',
        REAL,
        '        check: { answer: y }',
      ],
      [['asking', { question: 'x', answer: 'y' }, 5]],
    ],
    [
      'keep it under an alias of the kind, too',
      [
        '    check: { kind: asking, question: x, fall: 5 }',
        '    reals:',
        REAL,
        '        check: { kind: ask, answer: y }',
      ],
      [['asking', { question: 'x', answer: 'y' }, 5]],
    ],
    [
      'keep the policy alone where the kind is another',
      ['    check: { kind: asking, question: x, fall: 5 }', '    reals:', REAL, '        check: running'],
      [['running', { loud: false }, 5]],
    ],
    [
      'are all changed by a mapping without a kind',
      [
        '    checks: [{ kind: asking, question: x }, running]',
        '    reals:',
        REAL,
        '        check: { fall: 7 }',
      ],
      [
        ['asking', { question: 'x', answer: null }, 7],
        ['running', { loud: false }, 7],
      ],
    ],
    [
      'are replaced by a list, each laid over its like',
      [
        '    checks: [{ kind: asking, question: x, fall: 4 }, { kind: running, fall: 4 }]',
        '    reals:',
        REAL,
        '        checks: [{ kind: asking, question: z }]',
      ],
      [['asking', { question: 'z', answer: null }, 4]],
    ],
    [
      'are none at all with an empty list',
      ['    check: running', '    reals:', REAL, '        checks: []'],
      [],
    ],
  ]
  for (const [phrase, lines, expected] of laid) {
    it(phrase, () => {
      const [uses = []] = usesOf(...HEAD, ...lines)
      const short = uses.map(({ kind, options: { patience: _, codes: __, ...options }, policy }) => [
        kind,
        options,
        policy.fall,
      ])
      assert.deepEqual(short, expected)
    })
  }

  it('take policy and kind from defaults', () => {
    const defaults = (check: string) => [`defaults: { check: ${check} }`, ...HEAD]
    const policy = (lines: readonly string[]) =>
      usesOf(...lines)[0]?.map(use => [use.kind, use.policy.interval])
    assert.deepEqual(policy([...defaults('{ interval: 9s }'), '    check: running', '    reals:', REAL]), [
      ['running', 9000],
    ])
    assert.deepEqual(policy([...defaults('running'), '    reals:', REAL]), [['running', 5000]])
    assert.deepEqual(
      policy([...defaults('{ interval: 9s }'), '    reals:', REAL, '        check: running']),
      [['running', 9000]],
    )
  })

  it('have a fastinter of one second, or the interval if that is shorter', () => {
    const fastinter = (check: string) =>
      usesOf(...HEAD, `    check: { kind: running, ${check} }`, '    reals:', REAL)[0]?.[0]?.policy.fastinter
    assert.equal(fastinter('interval: 10s'), 1000)
    assert.equal(fastinter('interval: 500ms'), 500)
    assert.equal(fastinter('fastinter: 2s'), 2000)
  })

  it('use the address of checkport and checkaddress', () => {
    const [[use] = []] = usesOf(
      ...HEAD,
      "    check: { kind: running, checkport: domain, checkaddress: 'FE80::1%eth0' }",
      '    reals:',
      REAL,
    )
    assert.deepEqual([use?.port, use?.host], [53, 'fe80::1%eth0'])
  })

  it('use a server name', () => {
    const [[use] = []] = usesOf(
      ...HEAD,
      '    check: { kind: running, checkaddress: web1.example }',
      '    reals:',
      REAL,
    )
    assert.equal(use?.host, 'web1.example')
  })

  it('must all pass, unless need sets another number', () => {
    const need = (word: string) => {
      const { config } = validated(
        [
          ...HEAD,
          `    need: ${word}`,
          '    checks: [running, { kind: running, loud: true }]',
          '    reals:',
          REAL,
        ].join('\n'),
        CHECKS,
      )
      return config?.services[0]?.reals[0]?.need
    }
    assert.deepEqual(['all', 'any', '2', '1'].map(need), [2, 1, 2, 1])
  })

  const wrong: readonly (readonly [string, string, readonly string[]])[] = [
    ['a required option that is missing', 'asking', ['4:12 MISSING_KEY']],
    ['an option of the wrong type', '{ kind: asking, question: 3 }', ['4:38 WRONG_TYPE']],
    ['an item of a list', '{ kind: asking, question: x, codes: [a, [2]] }', ['4:52 WRONG_TYPE']],
    ['options that clash', '{ kind: asking, question: x, answer: x }', ['4:20 CHECK_OPTIONS']],
    [
      'every wrong key',
      '{ kind: running, loudd: true, intervall: 1s }',
      ['4:29 UNKNOWN_KEY', '4:42 UNKNOWN_KEY'],
    ],
    ['a kind that is no text', '{ kind: [running] }', ['4:20 WRONG_TYPE']],
  ]
  for (const [phrase, check, expected] of wrong) {
    it(`are refused for ${phrase}`, () => {
      const { problems } = validated([...HEAD, `    check: ${check}`, '    reals:', REAL].join('\n'), CHECKS)
      assert.deepEqual(
        problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`),
        expected,
      )
    })
  }

  it('report what is missing on this machine, once for each position', () => {
    const lame: Check = {
      ...RUNNING,
      name: 'lame',
      aliases: [],
      missing: () => 'there is no crutch: get one',
    }
    const { config, problems } = validated(
      [...HEAD, '    check: lame', '    reals:', REAL, REAL.replace('::1]', '::2]')].join('\n'),
      [lame],
    )
    assert.ok(config)
    assert.deepEqual(
      problems.map(({ at, severity, code, message }) => [at.line, severity, code, message]),
      [[4, 'warning', 'CHECK_UNAVAILABLE', 'lame: there is no crutch: get one']],
    )
  })

  it('report an error in defaults once for any number of services', () => {
    const services = [1, 2, 3].map(
      i => `  s${i}: { virtual: '[2001:db8::${i}]:80', check: running, reals: ['[2001:db8:1::1]'] }`,
    )
    const { problems } = validated(
      ['defaults: { check: { intervall: 5s } }', 'services:', ...services].join('\n'),
      CHECKS,
    )
    assert.deepEqual(
      problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`),
      ['1:22 UNKNOWN_KEY'],
    )
  })

  it('need a port only if they use it', () => {
    const mark = (check: string) =>
      validated(
        `services:\n  all: { fwmark: 1, family: ipv6, check: ${check}, reals: ['[2001:db8:1::1]'] }`,
        CHECKS,
      ).problems.map(({ code }) => code)
    assert.deepEqual(mark('{ kind: asking, question: x }'), ['CHECK_NEEDS_PORT'])
    assert.deepEqual(mark('{ kind: asking, question: x, checkport: 80 }'), [])
    assert.deepEqual(mark('running'), [])
  })

  it('that are missing cause a warning, not an error', () => {
    const { config, problems } = validated([...HEAD, '    reals:', REAL].join('\n'), CHECKS)
    assert.ok(config)
    assert.deepEqual(
      problems.map(({ severity, code }) => [severity, code]),
      [['warning', 'NO_CHECK']],
    )
  })
})
