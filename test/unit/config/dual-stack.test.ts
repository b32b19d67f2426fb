/** One service with several virtual addresses, as configured and over a reload. */
import assert from 'node:assert/strict'
import { configParts } from '../../../src/cluster/config-parts.js'
import { loadConfig } from '../../../src/config/load.js'
import { secretNames } from '../../../src/config/secrets.js'
import { idsOf, kernelServices, virtualsOf } from '../../../src/core/kernel-services.js'
import { keyAsWritten, keyOfService } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import { desiredTable } from '../../../src/health/desired-table.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { located, type Order } from '../../../src/overrides/command-overrides.js'
import { failed, passed } from '../../support/tables.js'

const VIRTUAL = "virtual: ['[2001:db8::80]:80', '192.0.2.80:80']"
const REALS = "reals: ['[fd00::3]', '10.0.0.3']"

async function load(...lines: readonly string[]) {
  const text = `services:\n  web:\n${lines.map(line => `    ${line}\n`).join('')}`
  return loadText(text)
}

async function loadText(text: string) {
  const { config, checks, problems } = await loadConfig('site.yaml', { text })
  assert.ok(config, JSON.stringify(problems))
  const resolved = resolveConfig(config, new Map()).config
  return {
    config: resolved,
    checks,
    web: resolved.services[0] ?? assert.fail('no service'),
    told: problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`),
  }
}

describe('dual-stack: one service with several addresses', () => {
  it('is one service, identified by the first address', async () => {
    const { config, web, told } = await load(VIRTUAL, 'check: http', REALS)
    assert.deepEqual(told, [])
    assert.equal(config.services.length, 1)
    assert.equal(web.name, 'web')
    assert.equal(keyAsWritten(web.virtual), 'tcp [2001:db8::80]:80')
    assert.deepEqual(idsOf(web).map(keyOfService), ['tcp [2001:db8::80]:80', 'tcp 192.0.2.80:80'])
  })

  it('is the same as without a list where the list has one item', async () => {
    const list = await load("virtual: ['[2001:db8::80]:80']", 'check: http', "reals: ['[fd00::3]']")
    const plain = await load("virtual: '[2001:db8::80]:80'", 'check: http', "reals: ['[fd00::3]']")
    assert.deepEqual(list.config, plain.config)
  })

  it('has a firewall mark in both families', async () => {
    const { web } = await load('fwmark: 80', 'family: [ipv6, ipv4]', 'check: ping', REALS)
    assert.deepEqual(virtualsOf(web).map(keyAsWritten), ['fwmark 80 ipv6', 'fwmark 80 ipv4'])
    const { told } = await load('fwmark: 80', 'family: [ipv6]', 'check: ping', "reals: ['[fd00::3]']")
    assert.deepEqual(told, [])
  })

  it('gives each address its servers, attributes and fallback; a tunnel serves all', async () => {
    const { web, told } = await load(
      VIRTUAL,
      'check: http',
      'persistence: { prefix: 64, netmask: 255.255.255.0 }',
      "fallback: ['10.0.0.99', '[fd00::99]']",
      "reals: [{ address: ['[fd00::3]', '10.0.0.3'], weight: 2 }, '[fd00::4] ipip', web.example]",
    )
    assert.deepEqual(told, ['7:65 MIXED_FAMILY'])
    assert.deepEqual(
      kernelServices(web).map(({ reals, fallback, attributes }) => [
        reals.map(({ host, attributes: { weight } }) => `${host} ${weight}`),
        fallback?.host,
        attributes.persistence?.prefix,
      ]),
      [
        [['fd00::3 2', 'fd00::4 1', 'web.example 1'], 'fd00::99', 64],
        [['10.0.0.3 2', 'fd00::4 1'], '10.0.0.99', 24],
      ],
    )
  })

  it('checks each address of a server, or one for both with checkaddress', async () => {
    const real = "reals: [{ address: ['[fd00::3]', '10.0.0.3'] }]"
    const each = await load(VIRTUAL, 'check: http', real)
    assert.equal(jobsOf(each.config, each.checks).jobs.size, 2)
    const one = await load(VIRTUAL, "check: { kind: http, checkaddress: 'fd00::3' }", real)
    assert.equal(jobsOf(one.config, one.checks).jobs.size, 1)
  })

  it('knows which real servers are one machine, in each part of a service', async () => {
    const { web } = await load(
      VIRTUAL,
      'check: http',
      "reals: [{ address: ['[fd00::3]', '10.0.0.3'] }, '[fd00::4]', { address: ['10.0.0.5'] }]",
    )
    assert.deepEqual(web.multihomed, [['[fd00::3]:80', '10.0.0.3:80']])
    const { config } = await load(
      "virtual: '[2001:db8::80]'",
      'ports: [80, 443]',
      'check: connect',
      "reals: [{ address: ['[fd00::3]', '[fd00::13]'] }]",
    )
    assert.deepEqual(
      config.services.map(({ multihomed }) => multihomed),
      [80, 443].map(port => [[`[fd00::3]:${port}`, `[fd00::13]:${port}`]]),
    )
    const { web: plain } = await load(VIRTUAL, 'check: http', REALS)
    assert.ok(!('multihomed' in plain))
  })

  it('is the same for several directors, whether or not its servers are written as one machine', async () => {
    const [one, two] = [
      await load(VIRTUAL, 'check: http', "reals: [{ address: ['[fd00::3]', '10.0.0.3'] }]"),
      await load(VIRTUAL, 'check: http', REALS),
    ]
    const hashOf = ({ config, checks }: typeof one) =>
      configParts(config.services, checks, secretNames(checks)).hash
    assert.equal(hashOf(one), hashOf(two))
  })

  it('gives an external check the virtual address of the family of the server', async () => {
    const { config, checks } = await load(
      VIRTUAL,
      'check: { kind: external, checkcommand: /bin/true }',
      REALS,
    )
    const { jobs } = jobsOf(config, checks)
    assert.deepEqual(
      [...jobs.values()].map(({ target }) => target.service.address?.text),
      ['2001:db8::80', '192.0.2.80'],
    )
  })

  it('panics by address: all servers of one family are a crowd of their own', async () => {
    const { config, checks } = await load(
      VIRTUAL,
      'check: { kind: connect, fall: 1 }',
      'panic: 60%',
      "reals: ['[fd00::1]', '[fd00::2]', '[fd00::3]', '10.0.0.1', '10.0.0.2']",
    )
    const store = new HealthStore()
    store.applyConfig(config, checks, 0)
    for (const service of config.services) store.look(service, null, 0)
    const say = (passes: boolean, family: string) => {
      for (const [id, { target }] of store.jobs)
        if (target.address.family === family) store.result(id, passes ? passed() : failed(), 1)
    }
    for (const family of ['ipv6', 'ipv4']) say(true, family)
    store.down.takeChanges()
    say(false, 'ipv4')
    assert.deepEqual(
      store.down.takeChanges().map(({ isPanic, held, of }) => [isPanic, held, of]),
      [[true, 2, 2]],
    )
    const sizes = () =>
      [...desiredTable(store, config.services, new Map()).values()].map(({ reals }) => reals.size)
    assert.deepEqual(sizes(), [3, 2])
    say(true, 'ipv4')
    assert.deepEqual(
      store.down.takeChanges().map(({ isPanic, held, of }) => [isPanic, held, of]),
      [[false, 2, 2]],
    )
  })

  describe('that was two services', () => {
    const check = 'check: { kind: connect, rise: 2, fall: 2 }'
    const two = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    ${check}\n    reals: ['[fd00::3]']\n  web4:\n    virtual: 192.0.2.80:80\n    ${check}\n    reals: ['10.0.0.3']\n`
    const one = `services:\n  web:\n    ${VIRTUAL}\n    ${check}\n    ${REALS}\n`
    const turned = one.replace(VIRTUAL, "virtual: ['192.0.2.80:80', '[2001:db8::80]:80']")

    for (const [what, before, after] of [
      ['two services that become one', two, one],
      ['one service that becomes two', one, two],
      ['addresses in another order', one, turned],
    ] as const)
      it(`keeps the health of its servers: ${what}`, async () => {
        const [old, next] = [await loadText(before), await loadText(after)]
        const store = new HealthStore()
        store.applyConfig(old.config, old.checks, 0)
        for (let i = 0; i < 3; i++) for (const id of store.jobs.keys()) store.result(id, passed(), i)
        store.applyConfig(next.config, next.checks, 5)
        const reals = next.config.services.flatMap(service => service.reals)
        assert.deepEqual(
          reals.map(real => store.stateOf(real)),
          ['up', 'up'],
        )
      })

    it('keeps overrides on single servers, and on a service that gets an address', async () => {
      const { config } = await loadText(one)
      const order = (service: string, key: string, real: string | null) =>
        ({ id: 'x', target: { service, key, real }, override: {} as Override, missingSince: null }) as Order
      const found = (service: string, key: string, real: string | null) =>
        located(order(service, key, real), config.services, new Set())
      const key = 'tcp [2001:db8::80]:80'
      assert.deepEqual(found('web', key, null), { service: 'web', key, real: null })
      assert.deepEqual(found('web4', 'tcp 192.0.2.80:80', '10.0.0.3:80'), {
        service: 'web',
        key,
        real: '10.0.0.3:80',
      })
      assert.equal(found('web4', 'tcp 192.0.2.80:80', null), null)
    })
  })
})
