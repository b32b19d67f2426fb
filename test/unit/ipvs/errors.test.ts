import assert from 'node:assert/strict'
import type { Change, Persistence, ServiceAttributes, ServiceId, TableReal } from '../../../src/core/model.js'
import { failureOf, isDueToOthers, refusalOf, refusedHere } from '../../../src/ipvs/errors.js'
import { SERVICE_ATTRIBUTES, serviceId, tableReal, tableService } from '../../support/tables.js'

const WEB = serviceId('2001:db8::80')
const MARK: ServiceId = { kind: 'fwmark', fwmark: 1, family: 'ipv6' }
const calm = { isSyncing: false }

const service = (some: Partial<ServiceAttributes> = {}, id = WEB): Change => ({
  op: 'add-service',
  id,
  service: { ...SERVICE_ATTRIBUTES, ...some },
})
const persistence = (some: Partial<Persistence>): Partial<ServiceAttributes> => ({
  persistence: { timeout: 300, prefix: 128, engine: null, ...some },
})
const real = (some: Partial<TableReal> = {}, host = 'fd00::1', id = WEB): Change => ({
  op: 'add-real',
  id,
  real: tableReal(host, some),
})
const setReal = (): Change => ({
  op: 'set-real',
  id: MARK,
  real: tableReal('fd00::1'),
  was: tableReal('fd00::1'),
})
const deleteReal = (): Change => ({ op: 'delete-real', id: WEB, was: tableReal('fd00::1') })
const deleteService = (): Change => ({ op: 'delete-service', id: WEB, was: tableService(WEB, []) })

describe('errors: a refusal of the kernel', () => {
  const cases: readonly (readonly [string, Change, string, RegExp])[] = [
    ['names the service', service(), 'EPERM', /^cannot add the service tcp \[2001:db8::80\]:80: /],
    [
      'names the real server and its service',
      setReal(),
      'EPERM',
      /^cannot change \[fd00::1\]:80 in fwmark 1 ipv6: /,
    ],
    ['names what was to be removed', deleteReal(), 'ENOENT', /^cannot remove \[fd00::1\]:80 from tcp /],
    [
      'EPERM asks for the capability',
      service(),
      'EPERM',
      /root or the capability CAP_NET_ADMIN.*AmbientCapabilities/,
    ],
    [
      'ENOENT of a service is its scheduler',
      service(),
      'ENOENT',
      /the scheduler wlc \(module ip_vs_wlc\)\. Load the module/,
    ],
    [
      'ENOENT with an engine may be either',
      service(persistence({ engine: 'sip' })),
      'ENOENT',
      /the scheduler wlc .* or the persistence engine sip \(module ip_vs_pe_sip\)/,
    ],
    [
      'ENOENT of a real server means that it is gone',
      setReal(),
      'ENOENT',
      /it does not exist; another program/,
    ],
    [
      'ENOENT of a removal of a service is unheard of',
      deleteService(),
      'ENOENT',
      /the kernel answered ENOENT; its log/,
    ],
    ['EEXIST of a service', service(), 'EEXIST', /it already exists; .*read it again/],
    ['EEXIST of a real server', real(), 'EEXIST', /it already exists; .*read it again/],
    ['ESRCH of a service', deleteService(), 'ESRCH', /it does not exist/],
    ['ESRCH of a real server is its service', real(), 'ESRCH', /the service does not exist/],
    [
      'ERANGE of thresholds',
      real({ upper: 1, lower: 2 }),
      'ERANGE',
      /lower threshold 2 must not be above the upper threshold 1/,
    ],
    ['EINVAL of a gue tunnel', real({ forwarding: 'gue' }), 'EINVAL', /a gue tunnel needs a port/],
    ['EINVAL of a link-local address', real({}, 'fe80::1'), 'EINVAL', /link-local/],
    ['EINVAL of an IPv4 address in disguise', real({}, '::ffff:192.0.2.1'), 'EINVAL', /write 192\.0\.2\.1:/],
    ['EINVAL of another address', real({}, 'ff02::1'), 'EINVAL', /unicast address .* not ff02::1/],
    [
      'EINVAL of the other family, by gate',
      real({ forwarding: 'gate' }, '192.0.2.1'),
      'EINVAL',
      /an ipv4 real server in an ipv6 service can only be reached through a tunnel .*, not by gate/,
    ],
    ['EINVAL of a long scheduler', service({ scheduler: 'a'.repeat(16) }), 'EINVAL', /as long as a{16}/],
    [
      'EINVAL of a long engine',
      service(persistence({ engine: 'e'.repeat(17) })),
      'EINVAL',
      /as long as e{17}/,
    ],
    ['EINVAL of no prefix', service(persistence({ prefix: 0 })), 'EINVAL', /is 1 to 128, not 0/],
    [
      'EINVAL of a service for no reason that is known',
      service(),
      'EINVAL',
      /the kernel answered EINVAL; its log \(dmesg\)/,
    ],
    ['EAFNOSUPPORT of a service', service(), 'EAFNOSUPPORT', /built without ipv6/],
    ['EAFNOSUPPORT of a real server', real({}, '192.0.2.1'), 'EAFNOSUPPORT', /built without ipv4/],
    ['ENOMEM', real(), 'ENOMEM', /out of memory/],
    ['ENOBUFS', real(), 'ENOBUFS', /must be read again/],
    ['what nobody thought of', real(), 'EDOM', /the kernel answered EDOM/],
    ['the same of a removal', deleteReal(), 'EDOM', /the kernel answered EDOM/],
  ]
  for (const [name, change, code, expected] of cases)
    it(name, () => {
      const error = refusalOf(change, code, calm)
      assert.equal(error.code, code)
      assert.match(error.message, expected)
    })

  it('of the other family beside the synchronization daemon', () => {
    const change = real({ forwarding: 'ipip' }, '192.0.2.1')
    assert.match(refusalOf(change, 'EINVAL', { isSyncing: true }).message, /ipvsadm --stop-daemon/)
    assert.doesNotMatch(refusalOf(change, 'EINVAL', calm).message, /stop-daemon/)
  })
})

describe('errors: what the kernel is not even asked', () => {
  const cases: readonly (readonly [string, Change, RegExp])[] = [
    ['a mark of 0', service({}, { ...MARK, fwmark: 0 } as ServiceId), /EINVAL .*from 1 to 4294967295/],
    [
      'a mark of more than 32 bits',
      service({}, { ...MARK, fwmark: 2 ** 32 } as ServiceId),
      /EINVAL .*from 1 to/,
    ],
    ['a zone', service({}, serviceId('fe80::1%eth0')), /EINVAL .*leave %eth0 out/],
    [
      'a negative timeout',
      service(persistence({ timeout: -1 })),
      /EINVAL .*-1 s is not a valid persistence timeout/,
    ],
    ['a prefix of 129', service(persistence({ prefix: 129 })), /EINVAL .*at most 128 bits, not 129/],
    [
      'an IPv4 prefix of 33',
      service(persistence({ prefix: 33 }), serviceId('192.0.2.1')),
      /EINVAL .*at most 32 bits/,
    ],
    ['a negative weight', real({ weight: -1 }), /ERANGE .*from 0 to 2147483647, not -1/],
    ['a weight of more than 31 bits', real({ weight: 2 ** 31 }), /ERANGE .*not 2147483648/],
    ['half a weight', real({ weight: 0.5 }), /ERANGE .*not 0\.5/],
  ]
  for (const [name, change, expected] of cases)
    it(name, () => {
      const error = refusedHere(change)
      assert.match(`${error?.code} ${error?.message}`, expected)
    })

  it('is none of what it can answer itself', () => {
    for (const change of [service(), real(), setReal(), deleteReal(), deleteService()])
      assert.equal(refusedHere(change), null)
  })
})

describe('errors: what another program has done', () => {
  const changes = {
    service: service(),
    real: real(),
    setReal: setReal(),
    deleteReal: deleteReal(),
    deleteService: deleteService(),
  }
  const codes = ['ESRCH', 'EEXIST', 'ENOENT', 'ENOMEM', 'EPERM']

  it('is told by what is missing or there already, and not by a module that is missing', () => {
    const found = Object.entries(changes).map(([name, change]) => [
      name,
      codes.filter(code => isDueToOthers(change, code)).join(' '),
    ])
    assert.deepEqual(Object.fromEntries(found), {
      service: 'ESRCH EEXIST',
      real: 'ESRCH EEXIST',
      setReal: 'ESRCH ENOENT',
      deleteReal: 'ESRCH ENOENT',
      deleteService: 'ESRCH',
    })
  })
})

describe('errors: a request that fails as a whole', () => {
  it('is a sentence with the errno and the cause', () => {
    const cause = new Error('recv: ENOENT')
    const error = failureOf('reach IPVS', 'ENOENT', cause)
    assert.match(
      error.message,
      /^cannot reach IPVS: this kernel has no IPVS\. Load its module \(modprobe ip_vs\)/,
    )
    assert.equal(error.code, 'ENOENT')
    assert.equal(error.cause, cause)
  })

  it('has a sentence for whatever code', () => {
    assert.match(
      failureOf('read the table', 'EDOM').message,
      /cannot read the table: the kernel answered EDOM/,
    )
  })
})
