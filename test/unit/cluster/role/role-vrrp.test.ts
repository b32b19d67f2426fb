import assert from 'node:assert/strict'
import { closeSync, constants, existsSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RoleKeeper } from '../../../../src/cluster/role/role-keeper.js'
import type { AddressKernel } from '../../../../src/cluster/role/role-vrrp.js'
import type { RoleSettings } from '../../../../src/config/schema/model-keys.js'
import { type Address, parseAddress } from '../../../../src/core/address.js'
import type { OwnAddress } from '../../../../src/core/check-source.js'
import { onCleanup } from '../../../support/after-each.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { until } from '../../../support/until.js'

const VIP = '2001:db8::80'
const ADDRESS = parseAddress(VIP) as Address

/** Addresses of a machine, which a test adds and removes. */
function machine() {
  let own: OwnAddress[] = []
  let report: (texts: ReadonlySet<string> | null) => void = () => {}
  const state = { reads: 0, isBroken: false }
  const kernel: AddressKernel = {
    events(onChange) {
      if (state.isBroken) throw new Error('EMFILE')
      report = onChange
      return { close: () => {} }
    },
    paths: () => ({
      addresses() {
        if (state.isBroken) throw new Error('ENOBUFS')
        state.reads++
        return own
      },
      link: index => ({ name: index === 1 ? 'lo' : `eth${index - 2}`, isWorking: true, losses: 0 }),
      close: () => {},
    }),
  }
  return {
    kernel,
    state,
    /** Sets the addresses. `told`: what the kernel reports; null: a loss. */
    set(flags: readonly Partial<OwnAddress>[], told: readonly string[] | null = [VIP]) {
      own = flags.map(each => ({
        address: ADDRESS,
        link: 2,
        prefix: 128,
        scope: 'global',
        isTentative: false,
        isDeprecated: false,
        isTemporary: false,
        ...each,
      }))
      report(told && new Set(told))
    },
  }
}

function stage(settings: Partial<RoleSettings>, { memoryPath = null as string | null } = {}) {
  const { log, lines } = recordingLog()
  const clock = new FakeClock()
  const { kernel, ...own } = machine()
  const changes: string[] = []
  const keeper = new RoleKeeper({
    log,
    clock,
    addresses: kernel,
    memoryPath,
    onChange: ({ role, reason }) => changes.push(`${role}: ${reason}`),
  })
  onCleanup(() => keeper.close())
  const all: RoleSettings = { from: 'vrrp', path: null, ...settings }
  return { ...own, clock, keeper, changes, lines, settings: all, start: () => keeper.prepare(all) }
}

function fifoStage(settings: Partial<RoleSettings> = {}) {
  const fifo = join(temporaryFolder(), 'vrrp')
  const made = stage({ instance: 'VI_1', fifo, ...settings })
  const say = (text: string) => {
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
    writeSync(fd, text)
    closeSync(fd)
  }
  const is = (role: string) => until(() => made.keeper.state.role === role, { what: `the role ${role}` })
  return { ...made, fifo, say, is }
}

const word = (state: 'MASTER' | 'BACKUP' | 'FAULT', began: number | null = null, name = 'VI_1') =>
  ({ kind: 'INSTANCE', name, state, priority: 100, began }) as const

describe('role by VRRP: the address', () => {
  it('is active while the address is here, and reads the addresses only after a report that names it', async () => {
    const { keeper, start, set, changes, state } = stage({ address: [ADDRESS] })
    await start()
    assert.deepEqual(
      [keeper.state.role, keeper.state.reason],
      ['standby', '2001:db8::80 is not on this machine'],
    )
    set([{}])
    set([])
    set([{}], null)
    const { reads } = state
    set([], ['2001:db8::99'])
    assert.equal(state.reads, reads)
    set([{ link: 1 }])
    assert.deepEqual(changes, [
      'active: 2001:db8::80 is on eth0',
      'standby: 2001:db8::80 is not on this machine',
      'active: 2001:db8::80 is on eth0',
      'standby: 2001:db8::80 is not on this machine',
    ])
  })

  it('does not count one that is tentative or a duplicate, and tells it if that lasts', async () => {
    const { keeper, start, set, clock, lines } = stage({ address: [ADDRESS] })
    await start()
    set([{ isTentative: true }])
    clock.wind(1000)
    set([{}])
    clock.wind(10_000)
    assert.deepEqual([keeper.state.role, keeper.trouble, lines], ['active', null, []])
    set([{ isTentative: true, isDuplicate: true }])
    clock.wind(10_000)
    assert.equal(keeper.state.role, 'standby')
    assert.match(keeper.trouble ?? '', /another machine has it \(dadfailed\)/)
    set([{}])
    assert.deepEqual(
      [keeper.state.role, lines.map(({ event }) => event)],
      ['active', ['role.unknown', 'role.known']],
    )
  })

  it('keeps its role while the kernel does not answer, and asks again', async () => {
    const { keeper, start, set, state, clock, changes } = stage({ address: [ADDRESS] })
    await start()
    set([{}])
    state.isBroken = true
    set([])
    assert.match(keeper.trouble ?? '', /the kernel does not tell its addresses: ENOBUFS/)
    clock.wind(60_000)
    assert.equal(keeper.state.role, 'active')
    state.isBroken = false
    clock.wind(5000)
    assert.deepEqual([keeper.trouble, changes.at(-1)], [null, 'standby: 2001:db8::80 is not on this machine'])
  })
})

describe('role by VRRP: the FIFO', () => {
  it('is made, follows the states of its instance, and survives garbage', async () => {
    const { keeper, start, say, is, fifo, lines } = fifoStage()
    await start()
    assert.equal(keeper.state.role, 'standby')
    assert.equal(statSync(fifo).mode & 0o777, 0o600)
    say('INSTANCE "VI_1" MASTER 100\n')
    await is('active')
    say('INSTANCE "VI_2" FAULT 100\nINSTANCE "VI_1" MASTER_PRIORITY 60\nINSTANCE "VI_1" FA')
    say('ULT 30\n')
    await is('standby')
    assert.equal(keeper.state.reason, 'VRRP instance VI_1 says FAULT')
    say('\0\xff nonsense\n'.repeat(100))
    say('INSTANCE "VI_1" MASTER 100\n')
    await is('active')
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['role.foreign-lines'],
    )
  })

  it('leaves out a line without an end, of any length', async () => {
    const { start, say, is, fifo } = fifoStage()
    await start()
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
    const rest = { bytes: 1 << 20 }
    await until(() => {
      try {
        while (rest.bytes > 0) rest.bytes -= writeSync(fd, Buffer.alloc(Math.min(4096, rest.bytes), 0x41))
      } catch {
        // The FIFO is full until lvsd has read it.
      }
      return rest.bytes === 0
    })
    closeSync(fd)
    // It is full until lvsd has read it.
    await until(() => {
      try {
        say('\nINSTANCE "VI_1" MASTER 100\n')
        return true
      } catch {
        return false
      }
    })
    await is('active')
  })

  it('opens it again when it was removed, and tells what stands in its place', async () => {
    const { keeper, start, say, is, fifo, clock } = fifoStage()
    await start()
    rmSync(fifo)
    clock.wind(1000)
    await until(() => existsSync(fifo))
    say('INSTANCE "VI_1" MASTER 100\n')
    await is('active')
    rmSync(fifo)
    mkdirSync(fifo)
    clock.wind(1000)
    await until(() => keeper.trouble?.includes('this is not a FIFO') === true)
    assert.equal(keeper.state.role, 'active')
  })

  it('takes what was left in it for old: the address decides', async () => {
    const { keeper, start, say, is, fifo, set, settings } = fifoStage({ address: [ADDRESS] })
    await start()
    set([{}])
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    keeper.follow(null)
    say('INSTANCE "VI_1" BACKUP 100\n')
    keeper.follow(settings)
    assert.deepEqual([keeper.state.role, keeper.state.reason], ['active', '2001:db8::80 is on eth0'])
    say('INSTANCE "VI_1" BACKUP 100\n')
    await is('standby')
    closeSync(reader)
  })
})

describe('role by VRRP: lvsd role-notify', () => {
  it('counts for its instance, in the order of the starts, and not where VRRP is not asked', async () => {
    const { keeper, start, changes } = stage({ instance: 'VI_1' })
    assert.equal(keeper.notify(word('MASTER')), 'not asked')
    await start()
    assert.equal(keeper.notify(word('MASTER', 20)), 'counts')
    assert.equal(keeper.notify(word('BACKUP', 19)), 'late')
    assert.equal(keeper.notify(word('BACKUP', 30, 'VI_2')), 'other')
    assert.equal(keeper.notify({ ...word('BACKUP', 30), kind: 'GROUP' }), 'other')
    assert.equal(keeper.notify(word('FAULT', 40)), 'counts')
    assert.deepEqual(changes, [
      'active: VRRP instance VI_1 says MASTER',
      'standby: VRRP instance VI_1 says FAULT',
    ])
  })

  it('is remembered over a restart, where no address says it better', async () => {
    const memoryPath = join(temporaryFolder(), 'vrrp.json')
    const one = stage({ instance: 'VI_1' }, { memoryPath })
    await one.start()
    one.keeper.notify(word('MASTER'))
    await one.keeper.close()
    const next = stage({ instance: 'VI_1' }, { memoryPath })
    await next.start()
    assert.deepEqual(
      [next.keeper.state.role, next.keeper.state.reason],
      ['active', 'VRRP instance VI_1 said last MASTER'],
    )
    const other = stage({ instance: 'VI_2' }, { memoryPath })
    await other.start()
    assert.equal(other.keeper.state.role, 'standby')
    const placed = stage({ instance: 'VI_1', address: [ADDRESS] }, { memoryPath })
    await placed.start()
    assert.equal(placed.keeper.state.reason, '2001:db8::80 is not on this machine')
  })
})
