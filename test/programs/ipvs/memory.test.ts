import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { type Change, keyOfReal, keyOfService, type TableReal } from '../../../src/core/model.js'
import { KernelError } from '../../../src/ipvs/kernel.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { SERVICE_ATTRIBUTES, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const WEB = serviceId('2001:db8::80')
const FIRST = tableReal('fd00::1')
const SECOND = tableReal('fd00::2', { forwarding: 'gate', weight: 5 })
const addWeb: Change = { op: 'add-service', id: WEB, service: SERVICE_ATTRIBUTES }
const add = (real = FIRST): Change => ({ op: 'add-real', id: WEB, real })

const codes = (outcomes: readonly (KernelError | null)[]) => outcomes.map(outcome => outcome?.code ?? null)

// That its rules are the kernel's is shown in test/kernel/ipvs.test.ts, on sequences of changes at random.
describe('memory table', () => {
  it('is empty at first', async () => {
    const { table, services, reals } = await memoryKernel().dump()
    assert.deepEqual([table.size, services.size, reals.size], [0, 0, 0])
  })

  it('stores entries', async () => {
    const kernel = memoryKernel()
    assert.deepEqual(await kernel.apply([addWeb, add(), add(SECOND)]), [null, null, null])
    const dump = await kernel.dump()
    assert.deepEqual(dump.table, table(tableService(WEB, [FIRST, SECOND])))
    assert.deepEqual([...dump.services.keys()], ['tcp [2001:db8::80]:80'])
    assert.deepEqual([...dump.reals.keys()].sort(), [
      'tcp [2001:db8::80]:80 [fd00::1]:80',
      'tcp [2001:db8::80]:80 [fd00::2]:80',
    ])
    assert.equal(dump.reals.get('tcp [2001:db8::80]:80 [fd00::1]:80')?.active, 0)
  })

  it('counts simulated clients by weight; those of a drained server go on until they end', async () => {
    let now = 0
    const kernel = memoryKernel(undefined, { rate: 100, now: () => now })
    const light = tableReal('fd00::1', { weight: 1 })
    const heavy = tableReal('fd00::2', { weight: 3 })
    await kernel.apply([addWeb, add(light), add(heavy)])
    const counted = async ({ address, port }: TableReal) => {
      const { reals, services } = await kernel.dump()
      const all = services.get(keyOfService(WEB))?.connections ?? 0
      const { connectionRate = 0, active = 0 } =
        reals.get(`${keyOfService(WEB)} ${keyOfReal({ address, port })}`) ?? {}
      return { rate: connectionRate, active, all }
    }
    now = 60_000
    const [one, three] = [await counted(light), await counted(heavy)]
    assert.ok(one.active > 0 && Math.abs(three.rate - 3 * one.rate) <= 2, JSON.stringify({ one, three }))
    assert.ok(Math.abs(three.active - 3 * one.active) <= 2)
    await kernel.apply([{ op: 'set-real', id: WEB, real: { ...heavy, weight: 0 }, was: heavy }])
    now += 6000
    const drained = await counted(heavy)
    assert.ok(drained.rate === 0 && drained.active > 0 && drained.active < three.active)
    now += 300_000
    const later = await counted(heavy)
    assert.ok(later.active === 0 && later.all > drained.all)
  })

  it('changes and removes', async () => {
    const kernel = memoryKernel()
    const service = { ...SERVICE_ATTRIBUTES, scheduler: 'rr' }
    const heavier = { ...FIRST, weight: 9 }
    await kernel.apply([
      addWeb,
      add(),
      add(SECOND),
      { op: 'set-service', id: WEB, service, was: SERVICE_ATTRIBUTES },
      { op: 'set-real', id: WEB, real: heavier, was: FIRST },
      { op: 'delete-real', id: WEB, was: SECOND },
    ])
    const held = (await kernel.dump()).table.get(keyOfService(WEB))
    assert.equal(held?.scheduler, 'rr')
    assert.deepEqual([...(held?.reals.values() ?? [])], [heavier])
    await kernel.apply([{ op: 'delete-service', id: WEB, was: tableService(WEB, [heavier]) }])
    assert.equal((await kernel.dump()).table.size, 0)
  })

  it('applies the other changes if it refuses one', async () => {
    const outcomes = await memoryKernel().apply([add(), addWeb, addWeb, add(), add(), add(SECOND)])
    assert.deepEqual(codes(outcomes), ['ESRCH', null, 'EEXIST', null, 'EEXIST', null])
    assert.ok(outcomes[0] instanceof KernelError)
  })

  it('takes more than one batch', async () => {
    const kernel = memoryKernel()
    const reals = Array.from({ length: 1000 }, (_, i) => tableReal(`fd00::${i.toString(16)}`, {}, 81))
    assert.ok(codes(await kernel.apply([addWeb, ...reals.map(add)])).every(code => code === null))
    assert.equal((await kernel.dump()).reals.size, 1000)
  })

  it('yields to the event loop between batches', async () => {
    const kernel = memoryKernel()
    const reals = Array.from({ length: 600 }, (_, i) => tableReal(`fd00::${i.toString(16)}`))
    let turns = 0
    const timer = setImmediate(function turn() {
      turns++
      if (turns < 10) setImmediate(turn)
    })
    await kernel.apply([addWeb, ...reals.map(add)])
    clearImmediate(timer)
    assert.ok(turns >= 2, `${turns} turns`)
  })

  it('refuses IPv4 in an IPv6 service except through a tunnel', async () => {
    const outcomes = await memoryKernel().apply([
      addWeb,
      add(tableReal('192.0.2.1')),
      add(tableReal('192.0.2.2', { forwarding: 'ipip' })),
    ])
    assert.deepEqual(codes(outcomes), [null, 'EINVAL', null])
  })

  it('refuses it altogether beside the synchronization daemon, and says so', async () => {
    const kernel = memoryKernel()
    kernel.synchronize('master')
    assert.deepEqual(await kernel.syncDaemons(), ['master'])
    const tunnel = tableReal('192.0.2.1', { forwarding: 'ipip' })
    const [, refused] = await kernel.apply([addWeb, add(tunnel)])
    assert.match(refused?.message ?? '', /refused while the connection synchronization daemon runs/)
    kernel.synchronize(null)
    assert.deepEqual(codes(await kernel.apply([add(tunnel)])), [null])
  })

  it('has the given modules', async () => {
    const kernel = memoryKernel({ schedulers: ['rr'], engines: [] })
    assert.deepEqual(codes(await kernel.apply([addWeb])), ['ENOENT'])
  })

  it('has timeouts, and 0 keeps the current value', async () => {
    const kernel = memoryKernel()
    assert.deepEqual(await kernel.timeouts(), { tcp: 900, tcpFin: 120, udp: 300 })
    await kernel.setTimeouts({ tcp: 60, tcpFin: 0, udp: 0 })
    assert.deepEqual(await kernel.timeouts(), { tcp: 60, tcpFin: 120, udp: 300 })
  })

  it('is visible to other clients, which can change it', async () => {
    const kernel = memoryKernel()
    await kernel.byHand.apply([addWeb, add()])
    assert.equal((await kernel.dump()).reals.size, 1)
    await kernel.apply([{ op: 'delete-real', id: WEB, was: FIRST }])
    assert.equal((await kernel.byHand.dump()).reals.size, 0)
  })

  it('refuses the changes that a test names, except manual ones', async () => {
    const kernel = memoryKernel()
    kernel.refuse((command, key) =>
      command === 'NEW_DEST' && key === 'tcp [2001:db8::80]:80 [fd00::1]:80' ? 'ENOMEM' : null,
    )
    const [, first, second] = await kernel.apply([addWeb, add(), add(SECOND)])
    assert.match(first?.message ?? '', /^cannot add \[fd00::1\]:80 to tcp .*: the kernel is out of memory/)
    assert.equal(second, null)
    assert.deepEqual(codes(await kernel.byHand.apply([add()])), [null])
  })

  it('can refuse reads', async () => {
    const kernel = memoryKernel()
    kernel.refuse(command => (command === 'GET_SERVICE' ? 'EPERM' : null))
    await assert.rejects(kernel.dump(), { name: 'KernelError', code: 'EPERM', message: /CAP_NET_ADMIN/ })
    kernel.refuse(null)
    assert.equal((await kernel.dump()).table.size, 0)
  })

  it('makes no system call', () => {
    const program = `
      const { memoryKernel } = await import('./src/ipvs/memory.ts')
      await memoryKernel().dump()
      console.log((await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('koffi'))`
    const args = ['--import', 'tsx', '--input-type=module', '-e', program]
    assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim(), 'false')
  })
})
