/** What messages advise: following them must lead to what was meant. */
import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'

const YAML: readonly [phrase: string, lines: string, message: RegExp][] = [
  ['a prefix as netmask', 'persistence: { netmask: 64 }', /for 64 bits write prefix: 64$/],
  ['the same in quotes', "persistence: { netmask: '/64' }", /for 64 bits write prefix: 64$/],
  ['the kind tcp', 'check: tcp', /write connect, or simpletcp/],
  ['the kind icmp', 'check: { kind: icmp }', /write ping$/],
  [
    'host in a check',
    'check: { kind: http, host: x }',
    /"host" is not an option of http; write virtualhost$/,
  ],
  ['host where there is no such thing', 'check: { kind: dns, request: x, host: y }', /write request$/],
  ['expect', 'check: { kind: http, expect: x }', /write receive$/],
  ['retries', 'check: { kind: http, retries: 3 }', /"retries" is not an option of http; write fall$/],
  ['a user', 'check: { kind: pop, user: x }', /write login$/],
  ['a master', 'check: { kind: redis, role: master }', /"role" cannot be "master"; write primary$/],
  ['a page as path', 'check: { kind: http, path: /a }', /asks for is request: \/a$/],
  ['another word as path', 'check: { kind: http, path: virtual }', /expected one of real, service$/],
  [
    'code through the service',
    'check: { kind: external, path: service }',
    /: it runs a command or makes connections of its own;/,
  ],
  ['round robin', 'scheduler: round-robin', /write rr$/],
  ['least connections', 'scheduler: leastconn', /write lc$/],
  ['nat', 'reals2: []\n    forwarding: nat', /write masq$/],
  ['a spare server', 'backup: x', /write fallback/],
  ['a setting in a service', 'removal-limit: 5', /stands under settings/],
  ['yes for true', 'quiescent: on', /write true$/],
  ['a placeholder', 'check: { kind: external, arguments: [{address}] }', /put it in quotes: '\{address\}'$/],
  [
    'milliseconds without a unit',
    'check: { kind: http, interval: 5000 }',
    /83 minutes.*write 5000ms, else 5000s$/,
  ],
  ['the same for a timeout', "check: { kind: http, timeout: '3000' }", /50 minutes/],
  [
    'a URL',
    "check: { kind: http, request: 'https://www.example/a?b' }",
    /write request: \/a\?b and virtualhost: www\.example, and kind: https$/,
  ],
  ['a weight below zero', "reals: ['[::1]:1 masq -1']", /^"weight" is the number -1; the least is 0$/],
  ['a weight that is a fraction', "reals: ['[::1]:1 masq 1.5']", /^"weight" must be a whole number, not/],
  ['a weight in words', "reals: ['[::1]:1 masq w=5']", /^the weight "w=5" is not a number; expected/],
  [
    'a weight without forwarding',
    "reals: ['[::1]:1 5']",
    /^"5" is not a forwarding: the weight follows the forwarding/,
  ],
  ['a word behind the weight', "reals: ['[::1]:1 masq 2 3']", /^"3" is one word too many; expected/],
  [
    'words behind the weight',
    'reals: [\'[::1]:1 masq 2 "a", "b"\']',
    /^there are 2 words too many, from ""a"," on; expected/,
  ],
  [
    'a weight of a fallback, behind the forwarding',
    "fallback: '[::1]:1 masq 2'",
    /^"2" is one word too many: a fallback has no weight; expected/,
  ],
  [
    'a weight of a fallback',
    "fallback: '[::1]:1 5'",
    /^"5" is not a forwarding: a fallback has no weight; expected/,
  ],
  [
    '.nan for a number',
    'check: { kind: http, fall: .nan }',
    /^"fall" must be a number, not \.nan \(not a number\)$/,
  ],
  ['.inf for a duration', 'check: { kind: http, interval: -.inf }', /, not -\.inf \(infinity\)$/],
  ['.nan for a text', 'check: { kind: http, receive: .nan }', /put it in quotes: '\.nan'$/],
  ['.nan for a list', 'scheduler-flags: .nan', /must be a list, not \.nan \(not a number\)$/],
  ['a number with a zero', 'check: { kind: http, receive: 1.10 }', /not the number 1\.10; .* '1\.10'$/],
  ['a number of 22 digits', `check: { kind: http, text: 1${'0'.repeat(21)} }`, /put it in quotes: '10{21}'$/],
  [
    'the same for a number',
    `check: { kind: http, fall: 1${'0'.repeat(21)} }`,
    /is the number 10{21}; the most is 1000$/,
  ],
  [
    'a number of 60 digits',
    `check: { kind: http, fall: 1${'0'.repeat(59)} }`,
    /is the number 10{39}…; the most/,
  ],
  ['a number as kind', 'check: { kind: 5 }', /^there is no check "5"; lvsd has agent, connect/],
  ['true as kind', 'check: { kind: True }', /^there is no check "True"; lvsd has agent, connect/],
  [
    'type, for kind',
    'check: { type: http, path: / }',
    /^"type" is not a key of a check: the kind is given by kind: http$/,
  ],
  ['checktype, for kind', 'check: { checktype: negotiate }', /given by kind; write the protocol: http, smtp/],
  ['a port that is missing', "reals: ['[2001:db8::1]:']", /; the port is missing after the colon$/],
  [
    'a protocol after the port',
    "reals: ['[2001:db8::1]:53/udp']",
    /; write it without "\/udp": the protocol/,
  ],
  ['the same of IPv4', "reals: ['192.0.2.1:53/UDP']", /; write it without "\/UDP": the protocol/],
  ['the wrong sign before the port', "reals: ['[2001:db8::1].53']", /a colon with the port, not "\.53"$/],
  ['several kinds', 'check: { kind: [http, ping] }', /^"kind" must be text, not a list$/],
  ['a word as need', 'need: most', /^"need" cannot be "most"; expected all, any or a number$/],
  ['a fraction as need', 'need: 1.5', /^"need" must be all, any or a whole number, not the number 1\.5$/],
  ['a number in quotes as need', "need: '1'", /^"need" cannot be "1"; take the quotes away$/],
  ['no protocol', 'protocol: []', /^"protocol" is an empty list$/],
  [
    'a header that would be lost',
    'check: { kind: http, headers: { __proto__: x } }',
    /^"headers": a name in it cannot be/,
  ],
  ['an expression that is none', "check: { kind: http, receive: 'ok(' }", /write text in place of receive$/],
]

const CF: readonly [phrase: string, text: string, message: RegExp][] = [
  ['on', 'autoreload=on\n', /must be yes or no, not "on"; write yes$/],
  ['off', 'quiescent=off\n', /; write no$/],
  ['true', 'quiescent=true\n', /; write yes$/],
  ['nat', 'virtual=192.0.2.1:80\n\treal=192.0.2.2:80 nat\n', /not "nat"; write masq$/],
  [
    'no brackets',
    'virtual6=2001:db8::80:80\n',
    /brackets: \[2001:db8::80\]:80 or \[2001:db8::80:80\]:80$|port: \[2001:db8::80\]:80 or/,
  ],
  [
    'a mark for IPv4 and servers with IPv6',
    'virtual=5\n\treal=[2001:db8::2]:80 masq\n',
    /; for a mark of IPv6 packets write virtual6$/,
  ],
]

describe('advice: a message about YAML', () => {
  for (const [phrase, lines, message] of YAML)
    it(`has the right word for ${phrase}`, async () => {
      const check = lines.startsWith('check') ? '' : '    check: none\n'
      const reals = lines.startsWith('reals:') ? '' : "    reals: ['[2001:db8:1::11]:80']\n"
      const text = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n${check}    ${lines}\n${reals}`
      const { problems } = await loadConfig('site.yaml', { text })
      assert.ok(
        problems.some(problem => message.test(problem.message)),
        JSON.stringify(problems.map(problem => problem.message)),
      )
    })

  it('takes numbers for texts in a list of arguments', async () => {
    const text = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    check: { kind: external, arguments: [-w, 1, -c, 0.5] }\n    reals: ['[2001:db8:1::11]:80']\n`
    const { config, problems } = await loadConfig('site.yaml', { text })
    assert.deepEqual(problems, [])
    assert.deepEqual(config?.services[0]?.reals[0]?.checks[0]?.options.arguments, ['-w', '1', '-c', '0.5'])
  })

  it('says that the ending of a name and the text do not fit', async () => {
    const yaml = await loadConfig('site.cf', { text: 'services:\n  web: {}\n' })
    const cf = await loadConfig('site.yaml', { text: 'virtual=192.0.2.1:80\n\treal=192.0.2.2:80 masq\n' })
    for (const { config, problems } of [yaml, cf]) {
      assert.equal(config, null)
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['WRONG_FORMAT'],
      )
    }
  })
})

describe('advice: a message about an ldirectord.cf', () => {
  for (const [phrase, text, message] of CF)
    it(`has the right word for ${phrase}`, async () => {
      const { problems } = await loadConfig('site.cf', { text })
      assert.ok(
        problems.some(problem => message.test(problem.message)),
        JSON.stringify(problems.map(problem => problem.message)),
      )
    })

  it('says nothing of a service without servers whose only server is wrong', async () => {
    const text = 'virtual=192.0.2.1:80\n\treal=192.0.2.2:80 nat\nvirtual=192.0.2.1:81\n'
    const { problems } = await loadConfig('site.cf', { text })
    assert.deepEqual(
      problems.filter(({ code }) => code === 'NO_REALS').map(({ at }) => at.line),
      [3],
    )
  })

  it('is shown once for all the lines that it is about', async () => {
    const blocks = Array.from(
      { length: 30 },
      (_, i) => `virtual=192.0.2.${i + 1}:80\n\treal=198.51.100.1:80 masq\n\tservice=http\n`,
    )
    const shown = renderProblems(await loadConfig('site.cf', { text: blocks.join('') }))
    assert.equal(shown.match(/note REDIRECTS/g)?.length, 1)
    assert.match(shown, /^ {4}the same in 29 other lines: 6, 9, 12, .* …$/m)
    assert.ok(shown.split('\n').length < 10, shown)
  })
})
