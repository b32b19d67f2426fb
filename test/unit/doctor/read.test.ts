/** The reader of facts: on this machine, and on texts as the kernel writes them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { examine } from '../../../src/doctor/examine.js'
import { parseFibTrie, parseIfInet6, parseIpv6Route } from '../../../src/doctor/read/addresses.js'
import { readConflicts } from '../../../src/doctor/read/conflicts.js'
import { readMachine } from '../../../src/doctor/read/machine.js'
import { readModules } from '../../../src/doctor/read/modules.js'
import { readPathLinks } from '../../../src/doctor/read/path-links.js'
import { readSite } from '../../../src/doctor/read/site.js'
import { readSources } from '../../../src/doctor/read/sources.js'
import { readSysctls } from '../../../src/doctor/read/sysctls.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { local } from '../../support/doctor.js'
import { temporaryFolder } from '../../support/folder.js'
import { address, config, real, service, serviceId, tableReal, use } from '../../support/tables.js'

describe('doctor: what it reads', () => {
  it('is known of this machine, as far as this user may', () => {
    const machine = readMachine({ state: 'absent' })
    assert.equal(machine.kernel, release())
    assert.ok(machine.links?.some(({ name, mtu }) => name === 'lo' && mtu > 1000))
    assert.ok(machine.addresses?.some(({ text, link }) => text === '127.0.0.1' && link === 'lo'))
    assert.ok(machine.localRoutes?.some(({ address, length }) => address === '127.0.0.0' && length === 8))
    assert.match(machine.sysctls.get('net.ipv4.ip_forward') ?? '', /^[01]$/)
    assert.ok(machine.process.descriptors !== null && machine.process.descriptors > 0)
    assert.notEqual(machine.process.capabilities, null)
    assert.ok(Array.isArray(machine.programs))
    if (existsSync('/proc/net/if_inet6')) assert.ok(machine.addresses?.some(({ text }) => text === '::1'))
    assert.ok(examine({ machine, site: null }).length > 3)
  })

  it('is the interface to each server of a check with path: service over IPv4, but not this machine', () => {
    const virtual = address('192.0.2.80')
    const paths = ['127.0.0.5', '198.51.100.1'].map(to => ({ virtual, real: tableReal(to) }))
    const found = readPathLinks(paths)
    assert.equal(found?.has('127.0.0.5'), false)
    const names = readMachine({ state: 'absent' }).links?.map(({ name }) => name)
    for (const link of found?.values() ?? []) assert.ok(names?.includes(link), link)
    assert.deepEqual(readPathLinks([{ virtual: address('2001:db8::80'), real: tableReal('::1') }]), new Map())
  })

  it('is the source that the kernel would choose, and its refusal', async () => {
    const found = await readSources([address('::1'), address('127.0.0.5'), address('255.255.255.255')])
    assert.deepEqual(found.get('::1'), { address: '::1' })
    assert.deepEqual(found.get('127.0.0.5'), { address: '127.0.0.1' })
    assert.ok('refusal' in (found.get('255.255.255.255') ?? {}))
  })

  it('is who else has 250 virtual addresses, and how many more there are', async () => {
    const services = Array.from({ length: 300 }, (_, i) =>
      service(`web${i}`, { id: serviceId(`2001:db8:9::${(i + 1).toString(16)}`) }),
    )
    const { settings, ...rest } = config(services)
    const asked = { ...rest, settings: { ...settings, conflictCheck: 60_000 } }
    assert.equal((await readConflicts(asked))?.unasked, 50)
    assert.equal((await readConflicts({ ...asked, services: services.slice(0, 250) }))?.unasked, 0)
  })

  it('is how many checks a configuration has, how many of them ping, and its folders', async () => {
    const { checks } = await loadChecks()
    const state = temporaryFolder()
    const reals = [real('::1', { checks: [use('ping', { size: 56, count: 1 }), use('connect')] })]
    const site = config([service('web', { reals }), service('same', { reals })], {
      state,
      socket: '/none/a.sock',
    })
    const found = await readSite({ file: 'a.yaml', config: site, checks, problems: [] })
    assert.equal(found.checks, 2)
    assert.equal(found.pings, 1)
    assert.deepEqual([...found.sources.keys()], ['::1'])
    assert.deepEqual(
      found.folders.map(({ use, found }) => [use, found === 'absent' ? found : found && found.mode & 0o777]),
      [
        ['state', 0o700],
        ['socket', 'absent'],
      ],
    )
  })

  it('is a sysctl of each interface, one with a dot in its name included', () => {
    const root = temporaryFolder()
    const write = (path: string, value: string) => {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), value)
    }
    write('net/ipv4/vs/conntrack', '1\n')
    write('net/ipv4/conf/eth0.7/rp_filter', '2\n')
    write('net/ipv4/ping_group_range', '0\t2147483647\n')
    assert.deepEqual([...readSysctls(['net.ipv4.nothing', 'net.ipv4.vs.conntrack'], root)].sort(), [
      ['net.ipv4.conf.eth0/7.rp_filter', '2'],
      ['net.ipv4.ping_group_range', '0 2147483647'],
      ['net.ipv4.vs.conntrack', '1'],
    ])
  })

  it('are modules by files with dashes and compressed ones', () => {
    const place = temporaryFolder()
    const folder = join(place, release())
    mkdirSync(folder)
    writeFileSync(join(folder, 'modules.builtin'), 'kernel/net/netfilter/ipvs/ip_vs.ko\n')
    const dependencies = 'kernel/a/ip_vs_sh.ko.xz: kernel/a/ip_vs.ko\nkernel/b/nf-conntrack.ko:\n'
    writeFileSync(join(folder, 'modules.dep'), dependencies)
    const { present, installed } = readModules([place])
    assert.ok(present?.has('ip_vs'))
    assert.deepEqual([...(installed ?? [])], ['ip_vs_sh', 'nf_conntrack'])
    assert.equal(readModules([join(place, 'none')]).installed, null)
  })
})

describe('doctor: texts of the kernel', () => {
  it('if_inet6: addresses with their flags', () => {
    const text = [
      '00000000000000000000000000000001 01 80 10 80       lo',
      '20010db8000000000000000000000080 02 80 00 88     eth0',
      '20010db8000000000000000000000081 02 80 00 c0     eth0',
      '20010db800000000000000000000000d 02 40 00 20   eth0.7',
    ].join('\n')
    assert.deepEqual(parseIfInet6(text), [
      local('::1', 'lo'),
      local('2001:db8::80', 'eth0', { isDadFailed: true }),
      local('2001:db8::81', 'eth0', { isTentative: true }),
      local('2001:db8::d', 'eth0.7', { isDeprecated: true, isDynamic: true }),
    ])
  })

  it('fib_trie: local prefixes of IPv4, each once', () => {
    const text = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 192.0.2.0
        /24 link UNICAST
     +-- 203.0.113.0/24 2 0 2
        |-- 203.0.113.0
           /24 host LOCAL
        |-- 203.0.113.7
           /32 host LOCAL
        |-- 203.0.113.255
           /32 link BROADCAST
Local:
        |-- 203.0.113.7
           /32 host LOCAL
`
    assert.deepEqual(
      parseFibTrie(text).map(({ address, length }) => `${address}/${length}`),
      ['203.0.113.0/24', '203.0.113.7/32'],
    )
  })

  it('ipv6_route: local prefixes of IPv6', () => {
    const any = '00000000000000000000000000000000 00 00000000000000000000000000000000'
    const text = [
      `20010db8000000000000000000000000 40 ${any} 00000100 00000001 00000000 00000001     eth0`,
      `20010db8000000000000000000000000 38 ${any} 00000000 00000002 00000000 80200001       lo`,
      '',
    ].join('\n')
    assert.deepEqual(parseIpv6Route(text), [{ address: '2001:db8::', family: 'ipv6', length: 56 }])
  })
})
