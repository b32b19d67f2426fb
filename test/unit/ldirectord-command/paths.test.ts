import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findInstance, nameOf, pidFileOf, socketOf } from '../../../src/ldirectord-command/paths.js'
import { temporaryFolder } from '../../support/folder.js'

describe('paths: the files of an instance', () => {
  it('are looked for in /etc/ha.d, then in /etc/ha.d/conf, then as named', () => {
    const root = temporaryFolder()
    const env = { LVSD_LDIRECTORD_ROOT: root }
    const [first, second, third] = ['etc/ha.d/web.cf', 'etc/ha.d/conf/web.cf', 'srv/web.cf'].map(path =>
      join(root, path),
    ) as [string, string, string]
    const found = (config: string) => findInstance(config, env)?.path ?? null
    assert.equal(found(third), null)
    write(third)
    assert.equal(found(third), third)
    assert.equal(found('web.cf'), null)
    write(second)
    assert.equal(found('web.cf'), second)
    write(first)
    assert.equal(found('web.cf'), first)
    assert.equal(findInstance(null, env), null)
    write(join(root, 'etc/ha.d/ldirectord.cf'))
    assert.equal(findInstance(null, env)?.name, 'ldirectord')
  })

  it('carry the name that init scripts expect', () => {
    const names = [null, 'ldirectord.cf', '/etc/ha.d/web.cf'].map(nameOf)
    assert.deepEqual(names, ['ldirectord', 'ldirectord.cf', 'web.cf'])
    assert.equal(pidFileOf({ name: 'web.cf' }, {}), '/var/run/ldirectord.web.cf.pid')
  })

  it('have a control socket each, whose path is never too long', () => {
    const socket = (path: string) => socketOf({ name: 'x', file: path, path }, {})
    assert.equal(socket('/etc/ha.d/ldirectord.cf'), '/run/ldirectord/etc-ha.d-ldirectord.cf.sock')
    assert.notEqual(socket('/a/b-c.cf'), socket('/a/b/c.cf'))
    const long = [1, 2].map(n => socket(`/${'folder/'.repeat(30)}${n}/${'n'.repeat(200)}.cf`))
    assert.notEqual(long[0], long[1])
    assert.ok(long.every(path => Buffer.byteLength(path) <= 107))
  })
})

function write(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}
