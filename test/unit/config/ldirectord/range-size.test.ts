import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { areRangesSmall } from '../../../../src/config/ldirectord/range-size.js'
import { loadConfig } from '../../../../src/config/load.js'
import { type Known, loadConfigApart } from '../../../../src/config/load-apart.js'
import { temporaryFolder } from '../../../support/folder.js'

describe('range-size', () => {
  const rows: [text: string, isSmall: boolean][] = [
    ['real=192.0.2.1:80 gate', true],
    ['\treal = 192.0.2.1->192.0.2.100:80 gate', true],
    ['\treal=192.0.2.1->192.0.2.100:http gate\n\treal=192.0.3.1->192.0.3.2', false],
    ['real=192.0.2.9->192.0.2.1:80', true],
    ['real=192.0.2.1->192.0.3.1:80', false],
    ['real=192.0.2.1->192.0.2.1->192.0.2.255', true],
    ['real=[2001:db8::1]->[2001:db8::2]:80', false],
    ['real=sql01->sql02:80', false],
  ]
  for (const [text, isSmall] of rows)
    it(`finds ${isSmall ? 'at most 100 servers' : 'more, or another form,'} in ${JSON.stringify(text)}`, () => {
      assert.equal(areRangesSmall(text, 100), isSmall)
    })
})

describe('a short ldirectord.cf that is read again', () => {
  const virtual = (i: number, reals: string) =>
    `virtual=192.0.2.${i}:80\n\tscheduler=wlc\n\tchecktype=connect\n\treal=${reals}:80 gate\n`
  const FEW = ['198.51.100.1->198.51.100.9', '198.51.100.1->198.51.100.9', '203.0.113.1']

  /** Digests are made in the thread. */
  async function isByThread(before: readonly string[], after: readonly string[]): Promise<boolean> {
    const file = join(temporaryFolder(), 'site.cf')
    const write = (all: readonly string[]) =>
      writeFileSync(file, all.map((reals, i) => virtual(i + 1, reals)).join(''))
    write(before)
    const known = await loadConfig(file)
    write(after)
    const loaded = await loadConfigApart(file, {}, undefined, known as Known)
    assert.equal(loaded.config?.services.length, after.length)
    return (loaded.digests?.size ?? 0) > 0
  }

  it('is read in this thread where its ranges are short', async () => {
    assert.equal(await isByThread(['203.0.113.1'], ['203.0.113.2']), false)
    assert.equal(await isByThread(FEW, [...FEW.slice(0, 2), '203.0.113.1->203.0.113.2']), false)
  })

  it('is read in the other thread where a range has thousands of servers', async () => {
    assert.equal(await isByThread(FEW, [...FEW.slice(0, 2), '10.0.0.1->10.0.9.1']), true)
  })
})
