import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSysctls, readSysctl } from '../../../src/system/sysctl.js'
import { temporaryFolder } from '../../support/folder.js'

function fakeRoot(): string {
  const root = temporaryFolder()
  mkdirSync(join(root, 'net/ipv4'), { recursive: true })
  writeFileSync(join(root, 'net/ipv4/range'), '0\t7\n')
  return root
}

describe('sysctls', () => {
  it('are read and written, each as one line', () => {
    const root = fakeRoot()
    const sysctls = openSysctls(root)
    assert.equal(sysctls.read('net.ipv4.range'), '0 7')
    sysctls.write('net.ipv4.range', '1 2')
    assert.equal(readFileSync(join(root, 'net/ipv4/range'), 'utf8'), '1 2\n')
  })

  it('are never created, and never reached through a link', () => {
    const root = fakeRoot()
    const outside = join(temporaryFolder(), 'passwd')
    writeFileSync(outside, 'root\n')
    symlinkSync(outside, join(root, 'net/link'))
    symlinkSync(join(outside, '..'), join(root, 'net/folder'))
    const sysctls = openSysctls(root)
    for (const name of ['net.link', 'net.folder.passwd']) {
      assert.throws(() => sysctls.write(name, '1'), /leads out of/)
      assert.throws(() => sysctls.read(name), /leads out of/)
      assert.equal(readSysctl(name, root), null)
    }
    assert.equal(readFileSync(outside, 'utf8'), 'root\n')
    assert.throws(() => sysctls.write('net.ipv4.new', '1'), { code: 'ENOENT' })
    assert.throws(() => sysctls.write('net/../etc', '1'), /not the name/)
    assert.throws(() => sysctls.write('kernel.panic', '1'), /not the name/)
  })

  it('of this machine can be read', () => {
    assert.match(openSysctls().read('net.ipv4.ip_forward'), /^[01]$/)
    assert.equal(readSysctl('net.ipv4.nothing_of_this_name'), undefined)
  })
})
