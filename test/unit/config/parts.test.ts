/** Services over several protocols and ports. */
import assert from 'node:assert/strict'
import { chosenPart } from '../../../src/cli/commands/probe.js'
import { loadConfig } from '../../../src/config/load.js'
import { keyAsWritten } from '../../../src/core/model.js'
import { desiredTable } from '../../../src/health/desired-table.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { failed, passed } from '../../support/tables.js'

async function load(
  lines: string,
  rest = "check: connect\n    reals: ['[2001:db8:1::11]', '[2001:db8:1::12]']",
) {
  const text = `services:\n  mail:\n    ${lines}\n    ${rest}\n`
  const loaded = await loadConfig('site.yaml', { text })
  const services = loaded.config?.services ?? []
  return {
    ...loaded,
    config: loaded.config && resolveConfig(loaded.config, new Map()).config,
    names: services.map(({ name }) => name),
    keys: services.map(({ virtual }) => keyAsWritten(virtual)),
    told: loaded.problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`),
  }
}

describe('parts: a service over several protocols or ports', () => {
  it('is one kernel service for each pair of protocol and port, each with its own name', async () => {
    const ports = await load("virtual: '[2001:db8::80]'\n    ports: [25, submission]")
    assert.deepEqual(ports.told, [])
    assert.deepEqual(ports.names, ['mail/25', 'mail/587'])
    assert.deepEqual(ports.keys, ['tcp [2001:db8::80]:25', 'tcp [2001:db8::80]:587'])
    const both = await load('virtual: 2001:db8::80\n    protocol: [udp, tcp]\n    ports: [53, 853]')
    assert.deepEqual(both.told, [])
    assert.deepEqual(both.names, ['mail/udp/53', 'mail/udp/853', 'mail/tcp/53', 'mail/tcp/853'])
    const protocols = await load("virtual: '[2001:db8::80]:53'\n    protocol: [udp, tcp]")
    assert.deepEqual(protocols.names, ['mail/udp', 'mail/tcp'])
    const named = await load('virtual: mail.example\n    ports: [25, 587]')
    assert.deepEqual(named.names, ['mail/25', 'mail/587'])
    assert.deepEqual(
      named.config?.services.map(({ virtual }) => virtual.kind === 'address' && virtual.port),
      [25, 587],
    )
  })

  it('is one service with one protocol and one port', async () => {
    const one = await load("virtual: '[2001:db8::80]'\n    protocol: [tcp]\n    ports: [25]")
    const plain = await load("virtual: '[2001:db8::80]:25'")
    assert.deepEqual(one.config, plain.config)
  })

  it('has real servers at the port of each part, or at a port that is given', async () => {
    const { config } = await load(
      "virtual: '[2001:db8::80]'\n    ports: [25, 587]",
      "check: connect\n    reals: ['[2001:db8:1::11]', '[2001:db8:1::12]:2525']",
    )
    assert.deepEqual(
      config?.services.map(({ reals }) => reals.map(({ port }) => port)),
      [
        [25, 2525],
        [587, 2525],
      ],
    )
  })

  it('checks the first port for all parts, with one health', async () => {
    const { config, checks } = await load("virtual: '[2001:db8::80]'\n    ports: [25, 587]")
    assert.ok(config)
    const { jobs, subscribers } = jobsOf(config, checks)
    assert.deepEqual(
      [...jobs.values()].map(({ target }) => target.port),
      [25, 25],
    )
    assert.equal(subscribers.length, 4)
    const board = new HealthStore()
    board.applyConfig(config, checks, 0)
    const [up, down] = [...jobs.keys()]
    for (let i = 0; i < 3; i++) {
      board.result(up ?? '', passed(), i)
      board.result(down ?? '', failed(), i)
    }
    const table = desiredTable(board, config.services, new Map())
    assert.deepEqual(
      [...table.values()].map(({ reals }) => [...reals.values()].map(({ port }) => port)),
      [[25], [587]],
    )
  })

  it('runs an external check only for the first part', async () => {
    const { config, checks } = await load(
      "virtual: '[2001:db8::80]:53'\n    protocol: [udp, tcp]",
      "check: external\n    reals: ['[2001:db8:1::11]']",
    )
    assert.ok(config)
    const { jobs } = jobsOf(config, checks)
    assert.equal(jobs.size, 1)
    assert.equal([...jobs.values()][0]?.target.service.protocol, 'udp')
  })

  it('sends one mail and writes one log line for all parts', async () => {
    const { config } = await load(
      "virtual: '[2001:db8::80]'\n    ports: [25, 587]\n    mail: a@example.org\n    monitorfile: /tmp/x",
    )
    assert.deepEqual(
      config?.services.map(({ mail, monitorfile }) => [mail?.to, monitorfile]),
      [
        [['a@example.org'], '/tmp/x'],
        [undefined, null],
      ],
    )
  })

  it('uses settings for UDP only in its UDP parts', async () => {
    const { config, told } = await load(
      "virtual: '[2001:db8::80]:53'\n    protocol: [tcp, udp]\n    one-packet: true",
    )
    assert.deepEqual(told, [])
    assert.deepEqual(
      config?.services.map(({ attributes }) => attributes.onePacket),
      [false, true],
    )
  })

  const WRONG: readonly [phrase: string, lines: string, expected: readonly string[]][] = [
    ['a port in virtual too', "virtual: '[2001:db8::80]:25'\n    ports: [25, 587]", ['4:5 PORT_TWICE']],
    ['a port twice', "virtual: '[2001:db8::80]'\n    ports: [25, smtp]", ['4:17 BAD_VALUE']],
    ['a protocol twice', "virtual: '[2001:db8::80]:25'\n    protocol: [tcp, tcp]", ['4:21 BAD_VALUE']],
    ['no port', "virtual: '[2001:db8::80]'\n    ports: []", ['4:12 OUT_OF_RANGE']],
    ['an unknown port', "virtual: '[2001:db8::80]'\n    ports: [25, nothing]", ['4:17 BAD_PORT']],
    ['an unknown protocol', "virtual: '[2001:db8::80]:1'\n    protocol: [tcp, upd]", ['4:21 UNKNOWN_WORD']],
    [
      'a firewall mark',
      'fwmark: 1\n    family: ipv6\n    ports: [25]',
      ['5:5 FWMARK_KEY', '7:14 CHECK_NEEDS_PORT', '7:34 CHECK_NEEDS_PORT'],
    ],
    [
      'a mistake of all parts, told once',
      "virtual: '[2001:db8::80]'\n    ports: [25, 587]\n    scheduler: wcl",
      ['5:16 UNKNOWN_SCHEDULER'],
    ],
    [
      'direct routing to another port',
      "virtual: '[2001:db8::80]'\n    ports: [25, 587]\n    forwarding: gate",
      [],
    ],
  ]
  for (const [phrase, lines, expected] of WRONG)
    it(`is reported: ${phrase}`, async () => {
      assert.deepEqual((await load(lines)).told.sort(), [...expected].sort())
    })

  it('cannot have the name of another service', async () => {
    const text =
      "services:\n  mail:\n    virtual: '[2001:db8::80]'\n    ports: [25, 587]\n    check: none\n    reals: ['[2001:db8:1::11]']\n  mail/25:\n    virtual: '[2001:db8::81]:25'\n    check: none\n    reals: ['[2001:db8:1::11]']\n"
    const { problems } = await loadConfig('site.yaml', { text })
    assert.deepEqual(
      problems.map(({ at, code }) => `${at.line} ${code}`),
      ['8 DUPLICATE_SERVICE'],
    )
  })

  it('is probed as a whole by its name, or by the name of a part', async () => {
    const { config } = await load("virtual: '[2001:db8::80]'\n    ports: [25, 587, 465]")
    assert.ok(config)
    const names = (word: string) => chosenPart(config, word, undefined).services.map(({ name }) => name)
    assert.deepEqual(names('mail'), ['mail/25', 'mail/587', 'mail/465'])
    assert.deepEqual(names('mail/465'), ['mail/25', 'mail/465'])
    assert.throws(() => names('mial'), /did you mean "mail"/)
  })
})
