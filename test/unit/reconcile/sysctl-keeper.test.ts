/** The sysctls of the configuration: set, kept, restored. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Declared, SysctlKeeper } from '../../../src/reconcile/sysctl-keeper.js'
import type { Sysctls } from '../../../src/system/sysctl.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const CONNTRACK = 'net.ipv4.vs.conntrack'
const FORWARD = 'net.ipv4.ip_forward'

/** A kernel with two sysctls. `refusals`: the error of a write, by name. */
class FakeKernel implements Sysctls {
  readonly values = new Map([
    [CONNTRACK, '0'],
    [FORWARD, '0'],
  ])
  readonly refusals = new Map<string, string>()
  readonly writes: string[] = []
  onWrite = () => {}

  read(name: string): string {
    const value = this.values.get(name)
    if (value === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' })
    return value
  }

  write(name: string, value: string): void {
    this.read(name)
    const code = this.refusals.get(name)
    if (code) throw Object.assign(new Error(code), { code })
    this.onWrite()
    this.writes.push(`${name}=${value}`)
    this.values.set(name, value)
  }
}

interface Stage {
  readonly kernel?: FakeKernel
  readonly path?: string
  readonly boot?: string
}

async function stage({
  kernel = new FakeKernel(),
  path = join(temporaryFolder(), 's.json'),
  boot = 'b',
}: Stage = {}) {
  const { log, lines } = recordingLog()
  const clock = new FakeClock()
  const keeper = new SysctlKeeper({ sysctls: kernel, path, log, clock, boot })
  await keeper.load()
  const said = () => lines.map(({ event, level }) => `${event}${level === 20 ? ' (debug)' : ''}`)
  const end = (keep = false) => keeper.close({ keep, patience: 1000 })
  /** A start after kill -9, or after a reboot. */
  const again = (next = boot) => stage({ kernel, path, boot: next })
  return { keeper, kernel, path, clock, lines, said, end, again }
}

describe('SysctlKeeper', () => {
  it('sets what is declared, and restores the former value at the end', async () => {
    const { keeper, kernel, said, end } = await stage()
    await keeper.follow({ [CONNTRACK]: '1' })
    assert.equal(kernel.values.get(CONNTRACK), '1')
    assert.deepEqual(keeper.snapshot(), [
      { name: CONNTRACK, declared: '1', value: '1', former: '0', trouble: null, changesByOthers: 0 },
    ])
    await end()
    assert.equal(kernel.values.get(CONNTRACK), '0')
    assert.deepEqual(said(), ['sysctl.set', 'sysctl.restored'])
  })

  it('has the former value on the disk before it writes', async () => {
    const { keeper, kernel, path } = await stage()
    let atWrite = ''
    kernel.onWrite = () => {
      atWrite = readFileSync(path, 'utf8')
    }
    await keeper.follow({ [CONNTRACK]: '1' })
    assert.match(atWrite, /"name":"net\.ipv4\.vs\.conntrack","former":"0"/)
  })

  it('writes nothing that is so already, and restores nothing then', async () => {
    const { keeper, kernel, end } = await stage()
    kernel.values.set(CONNTRACK, '1')
    await keeper.follow({ [CONNTRACK]: '1' })
    await end()
    assert.deepEqual(kernel.writes, [])
  })

  it('knows the former value after kill -9, and a new value of the configuration does not change it', async () => {
    const first = await stage()
    await first.keeper.follow({ [CONNTRACK]: '1' })
    const second = await first.again()
    await second.keeper.follow({ [CONNTRACK]: '2' })
    assert.equal(second.kernel.values.get(CONNTRACK), '2')
    await second.end()
    assert.equal(second.kernel.values.get(CONNTRACK), '0')
  })

  it('restores after kill -9 what the next configuration no longer has', async () => {
    const first = await stage()
    await first.keeper.follow({ [CONNTRACK]: '1', [FORWARD]: '1' })
    const { keeper, kernel } = await first.again()
    await keeper.follow({ [FORWARD]: '1' })
    assert.deepEqual([kernel.values.get(CONNTRACK), kernel.values.get(FORWARD)], ['0', '1'])
  })

  it('takes the value after a reboot for the former one', async () => {
    const first = await stage()
    await first.keeper.follow({ [CONNTRACK]: '1' })
    first.kernel.values.set(CONNTRACK, '5')
    const { keeper, kernel, end } = await first.again('another boot')
    await keeper.follow({ [CONNTRACK]: '1' })
    await end()
    assert.equal(kernel.values.get(CONNTRACK), '5')
  })

  it('restores at a reload what is no longer declared', async () => {
    const { keeper, kernel } = await stage()
    await keeper.follow({ [CONNTRACK]: '1' })
    await keeper.follow({})
    assert.equal(kernel.values.get(CONNTRACK), '0')
    assert.deepEqual(keeper.snapshot(), [])
  })

  it('keeps the values at the end where that is wanted, and the former ones for the next start', async () => {
    const first = await stage()
    await first.keeper.follow({ [CONNTRACK]: '1' })
    await first.end(true)
    assert.equal(first.kernel.values.get(CONNTRACK), '1')
    const { keeper, kernel } = await first.again()
    await keeper.follow({})
    assert.equal(kernel.values.get(CONNTRACK), '0')
  })

  it('notices at each round what another program has changed, and warns once', async () => {
    const { keeper, kernel, clock, said } = await stage()
    await keeper.follow({ [CONNTRACK]: '1' })
    keeper.checkEvery(1000)
    for (let i = 0; i < 3; i++) {
      kernel.values.set(CONNTRACK, '7')
      clock.wind(1000)
      await keeper.check()
    }
    assert.equal(kernel.values.get(CONNTRACK), '1')
    assert.deepEqual(said(), ['sysctl.set', 'sysctl.drift', 'sysctl.drift (debug)', 'sysctl.drift (debug)'])
    assert.equal(keeper.snapshot()[0]?.changesByOthers, 3)
  })

  it('leaves at the end what another program has set meanwhile', async () => {
    const { keeper, kernel, said, end } = await stage()
    await keeper.follow({ [CONNTRACK]: '1' })
    kernel.values.set(CONNTRACK, '7')
    await end()
    assert.equal(kernel.values.get(CONNTRACK), '7')
    assert.deepEqual(said(), ['sysctl.set', 'sysctl.left'])
  })

  for (const code of ['EACCES', 'EPERM', 'EROFS'])
    it(`names the drop-in where writing is forbidden (${code}), once, and tries again`, async () => {
      const { keeper, kernel, lines, said } = await stage()
      kernel.refusals.set(CONNTRACK, code)
      await keeper.follow({ [CONNTRACK]: '1', [FORWARD]: '1' })
      await keeper.check()
      assert.deepEqual(said(), ['sysctl.set', 'sysctl.failed'])
      assert.match(lines[1]?.msg ?? '', /conntrack stays 0, not 1: .*lvsd\.service\.d\/sysctls\.conf/)
      assert.equal(keeper.snapshot()[0]?.trouble, lines[1]?.msg)
      assert.equal(kernel.values.get(FORWARD), '1')
      kernel.refusals.clear()
      await keeper.check()
      assert.equal(kernel.values.get(CONNTRACK), '1')
      assert.deepEqual(said().slice(2), ['sysctl.set', 'sysctl.works'])
    })

  it('waits for a sysctl that the kernel does not have yet', async () => {
    const { keeper, kernel, lines, end } = await stage()
    kernel.values.delete(CONNTRACK)
    await keeper.follow({ [CONNTRACK]: '1' })
    assert.match(lines[0]?.msg ?? '', /no such sysctl/)
    kernel.values.set(CONNTRACK, '0')
    await keeper.check()
    assert.equal(kernel.values.get(CONNTRACK), '1')
    await end()
    assert.equal(kernel.values.get(CONNTRACK), '0')
  })

  it('says which value the kernel refuses, or changes', async () => {
    const { keeper, kernel } = await stage()
    kernel.refusals.set(CONNTRACK, 'EINVAL')
    await keeper.follow({ [CONNTRACK]: 'many' })
    assert.match(
      keeper.snapshot()[0]?.trouble ?? '',
      /conntrack cannot be many: the kernel refuses this value/,
    )
    const { write } = FakeKernel.prototype
    kernel.refusals.clear()
    kernel.write = (name, value) => write.call(kernel, name, value === '1000' ? '1024' : value)
    await keeper.follow({ [CONNTRACK]: '1000' })
    const { length } = kernel.writes
    await keeper.check()
    assert.match(keeper.snapshot()[0]?.trouble ?? '', /the kernel makes 1024 of 1000/)
    assert.equal(kernel.writes.length, length)
  })

  it('touches nothing before it follows a configuration: another lvsd may run', async () => {
    const first = await stage()
    await first.keeper.follow({ [CONNTRACK]: '1' })
    const { kernel, end } = await first.again()
    await end()
    assert.equal(kernel.values.get(CONNTRACK), '1')
  })

  it('starts with a file that cannot be read', async () => {
    const path = join(temporaryFolder(), 's.json')
    writeFileSync(path, 'damaged\n')
    const { keeper, kernel, said } = await stage({ path })
    await keeper.follow({ [CONNTRACK]: '1' })
    assert.equal(kernel.values.get(CONNTRACK), '1')
    assert.deepEqual(said(), ['state.damaged', 'sysctl.set'])
    const folder = join(temporaryFolder(), 's.json')
    mkdirSync(folder)
    assert.deepEqual((await stage({ path: folder })).said(), ['state.damaged'])
  })

  it('restores the first value after any history of reloads, crashes, rounds and ends', async () => {
    const declared = fc.dictionary(fc.constantFrom(CONNTRACK, FORWARD), fc.constantFrom('0', '1', '2'))
    const step = fc.oneof(declared, fc.constantFrom('crash' as const, 'check' as const, 'keep' as const))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async steps => {
        let current = await stage()
        let last: Declared = {}
        for (const one of steps) {
          if (one === 'check') await current.keeper.check()
          else if (one === 'keep') {
            await current.end(true)
            current = await current.again()
            await current.keeper.follow(last)
          } else if (one === 'crash') {
            current = await current.again()
            await current.keeper.follow(last)
          } else {
            last = one
            await current.keeper.follow(one)
            for (const [name, value] of Object.entries(one))
              assert.equal(current.kernel.values.get(name), value)
          }
        }
        await current.keeper.follow(last)
        await current.end()
        assert.deepEqual([...current.kernel.values.values()], ['0', '0'])
      }),
      { numRuns: 60 },
    )
  })
})
