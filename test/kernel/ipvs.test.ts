/** Tests of the IPVS client against the kernel: requests and answers, compared with ipvsadm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTo, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { type Change, keyOfService, type ServiceId, type TableReal } from '../../src/core/model.js'
import { ipvs } from '../../src/ipvs/attributes.js'
import { type Client, connect, openKernel } from '../../src/ipvs/client.js'
import { encodeService, encodeServiceId } from '../../src/ipvs/codec.js'
import { memoryKernel } from '../../src/ipvs/memory.js'
import { openConnection } from '../../src/netlink/connection.js'
import { openSocket } from '../../src/netlink/socket.js'
import { anyMistakenChange, asSaved, ENGINES, SCHEDULERS, savedLines } from '../support/ipvs.js'
import { address, SERVICE_ATTRIBUTES, serviceId, tableReal } from '../support/tables.js'

const WEB = serviceId('fd00:f::1')
const addWeb: Change = { op: 'add-service', id: WEB, service: SERVICE_ATTRIBUTES }

function ipvsadm(...args: readonly string[]): string {
  return execFileSync('ipvsadm', args, { encoding: 'utf8' })
}

describe('the kernel’s IPVS table', () => {
  let kernel: Client

  before(async () => {
    kernel = await openKernel()
  })
  beforeEach(() => {
    ipvsadm('-C')
  })
  after(() => kernel.close())

  /** Applies the changes, asserts that ipvsadm and a new dump agree, and returns the lines of ipvsadm. */
  async function applied(...changes: readonly Change[]): Promise<string[]> {
    const refused = (await kernel.apply(changes)).filter(outcome => outcome !== null)
    assert.deepEqual(refused, [])
    const { table } = await kernel.dump()
    const saved = savedLines(ipvsadm('-Sn'))
    assert.deepEqual(asSaved(table), saved)
    return saved
  }

  async function refusal(...changes: readonly Change[]): Promise<string> {
    const outcomes = [...(await kernel.apply(changes))]
    const last = outcomes.pop()
    assert.deepEqual(
      outcomes.filter(outcome => outcome !== null),
      [],
    )
    assert.ok(last, 'the kernel takes it')
    return `${last.code} ${last.message}`
  }

  it('is empty at first', async () => {
    const { table, services, reals } = await kernel.dump()
    assert.deepEqual([table.size, services.size, reals.size], [0, 0, 0])
  })

  describe('stores and returns', () => {
    const ids: readonly (readonly [string, ServiceId, string])[] = [
      ['TCP over IPv6', serviceId('fd00:f::1', 80), '-t [fd00:f::1]:80'],
      ['TCP over IPv4', serviceId('10.15.0.1', 80), '-t 10.15.0.1:80'],
      ['every port', serviceId('fd00:f::1', 0), '-t [fd00:f::1]:0'],
      ['UDP', { ...WEB, protocol: 'udp' } as ServiceId, '-u [fd00:f::1]:80'],
      ['SCTP', { ...WEB, protocol: 'sctp' } as ServiceId, '--sctp-service [fd00:f::1]:80'],
      ['a firewall mark for IPv6', { kind: 'fwmark', fwmark: 1, family: 'ipv6' }, '-f 1 -6'],
      ['a firewall mark for IPv4', { kind: 'fwmark', fwmark: 1, family: 'ipv4' }, '-f 1'],
      ['the largest mark', { kind: 'fwmark', fwmark: 0xffffffff, family: 'ipv6' }, '-f -1 -6'],
    ]
    for (const [name, id, saved] of ids)
      it(name, async () => {
        const service = SERVICE_ATTRIBUTES
        assert.deepEqual(await applied({ op: 'add-service', id, service }), [`-A ${saved} -s wlc`])
        const { table } = await kernel.dump()
        assert.deepEqual(table, new Map([[keyOfService(id), { id, ...service, reals: new Map() }]]))
        const real = tableReal('fd00:1::1', { forwarding: 'ipip' })
        const line = `-a ${saved} -r [fd00:1::1]:80 -i -w 1 --tun-type ipip`
        assert.deepEqual(await applied({ op: 'add-real', id, real }), [`-A ${saved} -s wlc`, line].sort())
        assert.deepEqual(await applied({ op: 'delete-real', id, was: real }), [`-A ${saved} -s wlc`])
        assert.deepEqual(
          await applied({ op: 'delete-service', id, was: { id, ...service, reals: new Map() } }),
          [],
        )
      })

    it('the same mark for both families at once', async () => {
      const ids = (['ipv4', 'ipv6'] as const).map(family => ({ kind: 'fwmark' as const, fwmark: 1, family }))
      const lines = await applied(
        ...ids.map(id => ({ op: 'add-service' as const, id, service: SERVICE_ATTRIBUTES })),
      )
      assert.deepEqual(lines, ['-A -f 1 -6 -s wlc', '-A -f 1 -s wlc'])
    })

    for (const scheduler of SCHEDULERS)
      it(`the scheduler ${scheduler}`, async () => {
        const service = { ...SERVICE_ATTRIBUTES, scheduler }
        assert.deepEqual(await applied({ op: 'add-service', id: WEB, service }), [
          `-A -t [fd00:f::1]:80 -s ${scheduler}`,
        ])
      })

    const attributes = [
      [
        'flags of a scheduler',
        { scheduler: 'sh', schedulerFlags: ['flag-1', 'flag-2'] },
        '-s sh -b sh-fallback,sh-port',
      ],
      [
        'flags of mh',
        { scheduler: 'mh', schedulerFlags: ['flag-1', 'flag-2'] },
        '-s mh -b mh-fallback,mh-port',
      ],
      ['all flags', { schedulerFlags: ['flag-1', 'flag-2', 'flag-3'] }, '-s wlc -b flag-1,flag-2,flag-3'],
      ['persistence', { persistence: { timeout: 300, prefix: 128, engine: null } }, '-s wlc -p 300'],
      [
        'a persistence prefix',
        { persistence: { timeout: 1, prefix: 64, engine: null } },
        '-s wlc -p 1 -M 64',
      ],
      [
        'a persistence engine',
        { persistence: { timeout: 9, prefix: 128, engine: 'sip' } },
        '-s wlc -p 9 --pe sip',
      ],
      ['one-packet scheduling', { onePacket: true }, '-s wlc -o'],
    ] as const
    for (const [name, some, saved] of attributes)
      it(name, async () => {
        const service = { ...SERVICE_ATTRIBUTES, ...some }
        assert.deepEqual(await applied({ op: 'add-service', id: WEB, service }), [
          `-A -t [fd00:f::1]:80 ${saved}`,
        ])
        const plain = SERVICE_ATTRIBUTES
        const back = await applied({ op: 'set-service', id: WEB, service: plain, was: service })
        assert.deepEqual(back, ['-A -t [fd00:f::1]:80 -s wlc'])
        const again = await applied({ op: 'set-service', id: WEB, service, was: plain })
        assert.deepEqual(again, [`-A -t [fd00:f::1]:80 ${saved}`])
      })

    it('every prefix length of IPv4 persistence', async () => {
      const id = serviceId('10.15.0.1')
      await applied({ op: 'add-service', id, service: SERVICE_ATTRIBUTES })
      for (let prefix = 0; prefix <= 32; prefix++) {
        const service = { ...SERVICE_ATTRIBUTES, persistence: { timeout: 60, prefix, engine: null } }
        await kernel.apply([{ op: 'set-service', id, service, was: service }])
        const { table } = await kernel.dump()
        assert.equal(table.get(keyOfService(id))?.persistence?.prefix, prefix)
      }
    })

    it('a persistence mask with holes, as no prefix length', async () => {
      ipvsadm('-A', '-t', '10.15.0.1:80', '-p', '60', '-M', '255.0.255.0')
      const { table } = await kernel.dump()
      assert.equal([...table.values()][0]?.persistence?.prefix, -1)
    })

    const reals: readonly (readonly [string, Partial<TableReal>, string])[] = [
      ['direct routing', { forwarding: 'gate' }, '-g -w 1'],
      ['NAT', { forwarding: 'masq' }, '-m -w 1'],
      ['an ipip tunnel', { forwarding: 'ipip' }, '-i -w 1 --tun-type ipip'],
      [
        'a gue tunnel',
        { forwarding: 'gue', tunnelPort: 6080 },
        '-i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum',
      ],
      [
        'a gue tunnel with checksums',
        { forwarding: 'gue', tunnelPort: 6080, tunnelChecksum: 'csum' },
        '-i -w 1 --tun-type gue --tun-port 6080 --tun-csum',
      ],
      [
        'a gue tunnel with remote checksums',
        { forwarding: 'gue', tunnelPort: 65535, tunnelChecksum: 'remcsum' },
        '-i -w 1 --tun-type gue --tun-port 65535 --tun-remcsum',
      ],
      ['a gre tunnel', { forwarding: 'gre' }, '-i -w 1 --tun-type gre --tun-nocsum'],
      [
        'a gre tunnel with checksums',
        { forwarding: 'gre', tunnelChecksum: 'csum' },
        '-i -w 1 --tun-type gre --tun-csum',
      ],
      ['weight 0', { weight: 0 }, '-m -w 0'],
      ['the largest weight', { weight: 0x7fffffff }, '-m -w 2147483647'],
    ]
    for (const [name, some, saved] of reals)
      it(name, async () => {
        const start = tableReal('fd00:1::1', { forwarding: 'gate', weight: 7 })
        const real = tableReal('fd00:1::1', some)
        const line = `-a -t [fd00:f::1]:80 -r [fd00:1::1]:80 ${saved}`
        assert.deepEqual((await applied(addWeb, { op: 'add-real', id: WEB, real }))[1], line)
        await applied({ op: 'set-real', id: WEB, real: start, was: real })
        assert.deepEqual((await applied({ op: 'set-real', id: WEB, real, was: start }))[1], line)
        const { table } = await kernel.dump()
        assert.deepEqual([...(table.get(keyOfService(WEB))?.reals.values() ?? [])], [real])
      })

    it('thresholds', async () => {
      const real = tableReal('fd00:1::1', { upper: 0xffffffff, lower: 10 })
      await applied(addWeb, { op: 'add-real', id: WEB, real })
      assert.match(ipvsadm('-Ln', '--thresholds'), /\[fd00:1::1\]:80 +4294967295 +10 /)
      const { table } = await kernel.dump()
      assert.deepEqual([...(table.get(keyOfService(WEB))?.reals.values() ?? [])], [real])
    })

    it('an IPv4 real server in an IPv6 service, and the reverse, through every tunnel', async () => {
      const other = serviceId('10.15.0.1')
      await applied(
        addWeb,
        { op: 'add-service', id: other, service: SERVICE_ATTRIBUTES },
        ...(['ipip', 'gue', 'gre'] as const).flatMap((forwarding, i): Change[] => {
          const tunnel = { forwarding, tunnelPort: forwarding === 'gue' ? 6080 : 0 }
          return [
            { op: 'add-real', id: WEB, real: tableReal(`10.1.0.${i + 1}`, tunnel) },
            { op: 'add-real', id: other, real: tableReal(`fd00:1::${i + 1}`, tunnel) },
          ]
        }),
      )
    })

    it('the same real server on several ports, also none', async () => {
      const id: ServiceId = { kind: 'fwmark', fwmark: 1, family: 'ipv6' }
      const add = [0, 80, 81].map(port => ({
        op: 'add-real' as const,
        id,
        real: tableReal('fd00:1::1', {}, port),
      }))
      assert.equal((await applied({ op: 'add-service', id, service: SERVICE_ATTRIBUTES }, ...add)).length, 4)
    })

    it('the table of `ipvsadm -A -f 1 -6` and `-a -f 1 -6 -r [fc00::2]:80 -m`', async () => {
      ipvsadm('-A', '-f', '1', '-6')
      ipvsadm('-a', '-f', '1', '-6', '-r', '[fc00::2]:80', '-m')
      const id: ServiceId = { kind: 'fwmark', fwmark: 1, family: 'ipv6' }
      const { table } = await kernel.dump()
      const reals = new Map([['[fc00::2]:80', tableReal('fc00::2')]])
      assert.deepEqual(table, new Map([['fwmark 1 ipv6', { id, ...SERVICE_ATTRIBUTES, reals }]]))
    })
  })

  it('does not read services with an unknown protocol', async () => {
    await applied(addWeb)
    const connection = openConnection(openSocket(), ipvs)
    const SERVICE = { ...encodeService(WEB, SERVICE_ATTRIBUTES), ...encodeServiceId(WEB), PROTOCOL: 58 }
    assert.deepEqual(connection.batch([{ command: 'NEW_SERVICE', values: { SERVICE } }]), [null])
    connection.close()
    assert.equal((await kernel.dump()).table.size, 1)
  })

  describe('is refused', () => {
    const addReal = (real: TableReal): Change => ({ op: 'add-real', id: WEB, real })
    const real = tableReal('fd00:1::1')
    const other = tableReal('fd00:1::2')
    const cases: readonly (readonly [string, readonly Change[], RegExp])[] = [
      [
        'a service that is there',
        [addWeb, addWeb],
        /^EEXIST cannot add the service tcp \[fd00:f::1\]:80: it already exists/,
      ],
      [
        'a change to a service that is not there',
        [{ op: 'set-service', id: WEB, service: SERVICE_ATTRIBUTES, was: SERVICE_ATTRIBUTES }],
        /^ESRCH cannot change the service .*: it does not exist/,
      ],
      [
        'the removal of a service that is not there',
        [{ op: 'delete-service', id: WEB, was: { id: WEB, ...SERVICE_ATTRIBUTES, reals: new Map() } }],
        /^ESRCH cannot remove the service .*: it does not exist/,
      ],
      [
        'a real server without its service',
        [addReal(real)],
        /^ESRCH cannot add .*: the service does not exist/,
      ],
      [
        'a real server that is there',
        [addWeb, addReal(real), addReal(real)],
        /^EEXIST .*\]:80: it already exists/,
      ],
      [
        'a change to a real server that is not there',
        [addWeb, addReal(real), { op: 'set-real', id: WEB, real: other, was: other }],
        /^ENOENT cannot change \[fd00:1::2\]:80 in .*: it does not exist/,
      ],
      [
        'the removal of a real server that is not there',
        [addWeb, { op: 'delete-real', id: WEB, was: real }],
        /^ENOENT cannot remove .*: it does not exist/,
      ],
      [
        'a scheduler that the kernel does not have',
        [{ ...addWeb, service: { ...SERVICE_ATTRIBUTES, scheduler: 'nosuch' } } as Change],
        /^ENOENT .*does not have the scheduler nosuch \(module ip_vs_nosuch\)/,
      ],
      [
        'a change to such a scheduler',
        [
          addWeb,
          {
            op: 'set-service',
            id: WEB,
            service: { ...SERVICE_ATTRIBUTES, scheduler: 'nosuch' },
            was: SERVICE_ATTRIBUTES,
          },
        ],
        /^ENOENT .*does not have the scheduler nosuch/,
      ],
      [
        'a persistence engine that the kernel does not have',
        [
          {
            op: 'add-service',
            id: WEB,
            service: { ...SERVICE_ATTRIBUTES, persistence: { timeout: 1, prefix: 128, engine: 'nosuch' } },
          },
        ],
        /^ENOENT .*or the persistence engine nosuch \(module ip_vs_pe_nosuch\)/,
      ],
      [
        'a scheduler with too long a name',
        [{ ...addWeb, service: { ...SERVICE_ATTRIBUTES, scheduler: 'a-name-of-16-cha' } } as Change],
        /^E\w+ .*no scheduler’s name is as long as a-name-of-16-cha/,
      ],
      [
        'IPv6 persistence over no bits',
        [
          {
            op: 'add-service',
            id: WEB,
            service: { ...SERVICE_ATTRIBUTES, persistence: { timeout: 1, prefix: 0, engine: null } },
          },
        ],
        /^EINVAL .*the prefix length of IPv6 persistence is 1 to 128, not 0/,
      ],
      [
        'a lower threshold above the upper',
        [addWeb, addReal({ ...real, upper: 5, lower: 6 })],
        /^ERANGE .*the lower threshold 6 must not be above the upper threshold 5/,
      ],
      [
        'a negative weight',
        [addWeb, addReal({ ...real, weight: -1 })],
        /^ERANGE .*a weight is a number from 0/,
      ],
      [
        'a gue tunnel to no port',
        [addWeb, addReal({ ...real, forwarding: 'gue' })],
        /^EINVAL .*a gue tunnel needs a port/,
      ],
      [
        'a link-local real server',
        [addWeb, addReal(tableReal('fe80::1'))],
        /^EINVAL .*cannot forward to a link-local/,
      ],
      [
        'an IPv4 address in the form of IPv6',
        [addWeb, addReal(tableReal('::ffff:10.1.0.1'))],
        /^EINVAL .*write 10\.1\.0\.1/,
      ],
      ['a multicast real server', [addWeb, addReal(tableReal('ff02::1'))], /^EINVAL .*unicast.*not ff02::1/],
      [
        'an IPv4 real server in an IPv6 service without a tunnel',
        [addWeb, addReal(tableReal('10.1.0.1'))],
        /^EINVAL .*an ipv4 real server in an ipv6 service can only be reached through a tunnel \(ipip, gue or gre\), not by masq/,
      ],
      [
        'a mark of 0',
        [
          {
            op: 'add-service',
            id: { kind: 'fwmark', fwmark: 0, family: 'ipv6' },
            service: SERVICE_ATTRIBUTES,
          },
        ],
        /^EINVAL .*a firewall mark is a number from 1/,
      ],
      [
        'a zone',
        [{ op: 'add-service', id: serviceId('fe80::1%lo'), service: SERVICE_ATTRIBUTES }],
        /^EINVAL .*has no zones; leave %lo out/,
      ],
    ]
    for (const [name, changes, expected] of cases)
      it(name, async () => assert.match(await refusal(...changes), expected))

    it('a real server of the other family while the synchronization daemon runs', async () => {
      ipvsadm('--start-daemon', 'backup', '--mcast-interface', 'lo')
      try {
        assert.deepEqual(await kernel.syncDaemons(), ['backup'])
        const tunnel = tableReal('10.1.0.1', { forwarding: 'ipip' })
        assert.match(
          await refusal(addWeb, addReal(tunnel)),
          /^EINVAL .*refused while the connection synchronization daemon/,
        )
      } finally {
        ipvsadm('--stop-daemon', 'backup')
      }
      assert.deepEqual(await kernel.syncDaemons(), [])
    })

    it('without effect on the other changes', async () => {
      const outcomes = await kernel.apply([
        addWeb,
        addReal(real),
        addReal(real),
        addReal(tableReal('fe80::1')),
        addReal(other),
      ])
      assert.deepEqual(
        outcomes.map(outcome => outcome?.code ?? null),
        [null, null, 'EEXIST', 'EINVAL', null],
      )
      assert.equal(savedLines(ipvsadm('-Sn')).length, 3)
    })
  })

  it('asks for CAP_NET_ADMIN', () => {
    const program =
      "import('./build/src/ipvs/client.js').then(m => m.openKernel()).catch(e => console.log(e.code, e.message))"
    const printed = execFileSync('setpriv', [
      '--reuid=65534',
      '--clear-groups',
      process.execPath,
      '-e',
      program,
    ])
    assert.match(String(printed), /^EPERM cannot read the IPVS timeouts: not permitted\. .*CAP_NET_ADMIN/)
  })

  it('counts connections, packets and bytes', async () => {
    const addresses = ['fd00:f::1', 'fd00:1::1']
    for (const own of addresses) execFileSync('ip', ['address', 'add', `${own}/128`, 'dev', 'lo', 'nodad'])
    const server = createServer(socket => socket.end('hello'))
    server.listen(80, 'fd00:1::1')
    await once(server, 'listening')
    try {
      await applied(addWeb, { op: 'add-real', id: WEB, real: tableReal('fd00:1::1') })
      for (let i = 0; i < 3; i++) assert.equal(await textFrom('fd00:f::1', 80), 'hello')
      // The kernel updates its counters every two seconds.
      const counted = async () => [...(await kernel.dump()).services.values()][0]?.connections === 3
      while (!(await counted())) await setTimeout(200)
      const [real] = (await kernel.dump()).reals.values()
      assert.equal(real?.connections, 3)
      assert.equal((real?.active ?? 0) + (real?.inactive ?? 0), 3)
      assert.ok((real?.inPackets ?? 0) >= 9 && (real?.inBytes ?? 0) > (real?.inPackets ?? 0) * 40)
      assert.ok((real?.outBytes ?? 0) > 3 * 'hello'.length)
    } finally {
      server.close()
      for (const own of addresses) execFileSync('ip', ['address', 'del', `${own}/128`, 'dev', 'lo'])
    }
  })

  it('has timeouts, and 0 keeps the current value', async () => {
    await kernel.setTimeouts({ tcp: 600, tcpFin: 60, udp: 30 })
    assert.deepEqual(await kernel.timeouts(), { tcp: 600, tcpFin: 60, udp: 30 })
    await kernel.setTimeouts({ tcp: 0, tcpFin: 90, udp: 0 })
    assert.match(ipvsadm('-Ln', '--timeout'), /tcp tcpfin udp\): 600 90 30/)
    await assert.rejects(
      kernel.setTimeouts({ tcp: 0x7fffffff, tcpFin: 0, udp: 0 }),
      /cannot set the IPVS timeouts to 2147483647/,
    )
    await kernel.setTimeouts({ tcp: 900, tcpFin: 120, udp: 300 })
  })

  it('reports lost answers, and can be read again', async () => {
    const narrow = connect(openSocket(1 << 16))
    const reals = Array.from({ length: 300 }, (_, i) => tableReal(`fd00:1::${i.toString(16)}`))
    const add = reals.map((real): Change => ({ op: 'add-real', id: WEB, real }))
    await kernel.apply([addWeb, ...add.slice(0, 256)])
    const codes = (await narrow.apply(add)).map(outcome => outcome?.code ?? null)
    assert.deepEqual(new Set(codes.slice(0, 256)), new Set(['ENOBUFS']))
    assert.deepEqual(new Set(codes.slice(256)), new Set([null]))
    assert.equal((await narrow.dump()).reals.size, 300)
    narrow.close()
  })

  it('finds the netlink family again after the module was reloaded', async function () {
    // Only in a guest is the module not shared with other users of the kernel.
    if (process.env.LAB_KIND !== 'uml') this.skip()
    const modules = execFileSync('lsmod', { encoding: 'utf8' })
    const inUse = [...modules.matchAll(/^(ip_vs_\w+)/gm)].map(([, name]) => name as string)
    execFileSync('modprobe', ['-r', ...inUse, 'ip_vs'])
    await applied(addWeb, { op: 'add-real', id: WEB, real: tableReal('fd00:1::1') })
  })

  it('accepts and refuses the same changes as the memory table, in any order', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(fc.array(anyMistakenChange, { minLength: 1, maxLength: 40 }), async changes => {
        await kernel.apply(emptying(await kernel.dump()))
        const memory = memoryKernel({ schedulers: SCHEDULERS, engines: ENGINES })
        const codes = async (table: Client) =>
          (await table.apply(changes)).map(outcome => outcome?.code ?? null)
        assert.deepEqual(await codes(kernel), await codes(memory))
        assert.deepEqual((await kernel.dump()).table, (await memory.dump()).table)
      }),
      { numRuns: 200 },
    )
  })

  it('stores and returns 10,000 real servers', async function () {
    this.timeout(600_000)
    for (const [services, perService] of [
      [100, 100],
      [1, 10_000],
    ] as const) {
      ipvsadm('-C')
      const changes = manyReals(services, perService)
      const apply = await measured(() => kernel.apply(changes))
      assert.ok(apply.result.every(outcome => outcome === null))
      const dump = await measured(() => kernel.dump())
      assert.equal(dump.result.reals.size, 10_000)
      const first = dump.result.table.get('tcp [fd00:f::1]:1')
      assert.deepEqual(first?.reals.get('[fd00:1::1]:80'), tableReal('fd00:1::1'))
      console.log(
        `      ${services} x ${perService}: apply ${apply.each}, dump ${dump.each} µs of CPU a real server, ` +
          `${apply.ms} and ${dump.ms} ms, the loop held up for ${apply.held} and ${dump.held} ms at most`,
      )
    }
  })
})

async function textFrom(host: string, port: number): Promise<string> {
  let heard = ''
  for await (const chunk of connectTo({ host, port })) heard += chunk
  return heard
}

function emptying({ table }: Awaited<ReturnType<Client['dump']>>): Change[] {
  return [...table.values()].map(was => ({ op: 'delete-service', id: was.id, was }))
}

function manyReals(services: number, perService: number): Change[] {
  return Array.from({ length: services }, (_, s): Change[] => {
    const id = serviceId('fd00:f::1', s + 1)
    const reals = Array.from({ length: perService }, (_, i): Change => {
      const real = { ...tableReal('fd00:1::1'), address: address(`fd00:1::${(i + 1).toString(16)}`) }
      return { op: 'add-real', id, real }
    })
    return [{ op: 'add-service', id, service: SERVICE_ATTRIBUTES }, ...reals]
  }).flat()
}

/**
 * Measures work on 10,000 real servers: `each` is µs of CPU time per server, `ms` wall-clock time, `held` the longest
 * delay of timers in ms.
 */
async function measured<T>(work: () => Promise<T>) {
  let held = 0
  let last = performance.now()
  const timer = setInterval(() => {
    held = Math.max(held, performance.now() - last)
    last = performance.now()
  }, 1)
  const before = process.cpuUsage()
  const began = performance.now()
  const result = await work()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(before)
  await setTimeout(5)
  clearInterval(timer)
  return { result, each: Math.round((user + system) / 10_000), ms: Math.round(ms), held: Math.round(held) }
}
