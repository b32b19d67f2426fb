import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/version.js'
import { temporaryFolder } from '../helpers/folder.js'

describe('the set-up', () => {
  it('does nothing, in silence, where everything is there', () => {
    assert.deepEqual(setup(builtClone(), 'build'), { exit: 0, said: '' })
    assert.deepEqual(setup(builtClone(), 'test'), { exit: 0, said: '' })
  })

  it('says how it is used', () => {
    assert.match(setup(builtClone(), 'nonsense').said, /usage: .*build\|test\|install \[--ldirectord\]/)
  })

  it('says which Debian packages are missing where it may not install them; in CI that is a failure', () => {
    const clone = builtClone()
    writeFileSync(join(clone, 'test/packages.txt'), '# for tests\nno-such-package-of-lvsd # one\n')
    const env = { PATH: nodeAlone() }
    const told = setup(clone, 'test', env)
    assert.equal(told.exit, 0)
    assert.match(told.said, /^setup: this is no Debian .*Missing: no-such-package-of-lvsd\n$/)
    assert.equal(setup(clone, 'test', { ...env, CI: 'true' }).exit, 1)
  })

  it('installs below DESTDIR, keeps a configuration that is there, and starts nothing', () => {
    const clone = builtClone()
    const DESTDIR = temporaryFolder()
    assert.match(setup(clone, 'install', { DESTDIR }).said, /closed to other users.*\/opt/)
    chmodSync(clone, 0o755)
    assert.equal(setup(clone, 'install', { DESTDIR }).exit, 0)
    assert.equal(readlinkSync(join(DESTDIR, 'usr/local/bin/lvsd')), join(clone, 'dist/src/main.js'))
    for (const file of ['systemd/system/lvsd.service', 'sysctl.d/60-lvsd.conf', 'modules-load.d/lvsd.conf'])
      assert.ok(existsSync(join(DESTDIR, 'etc', file)), file)
    const config = join(DESTDIR, 'etc/lvsd/lvsd.yaml')
    assert.equal(readFileSync(config, 'utf8'), readFileSync(join(packageRoot, 'config/example.yaml'), 'utf8'))
    writeFileSync(config, 'mine')
    assert.equal(setup(clone, 'install', { DESTDIR }).exit, 0)
    assert.equal(readFileSync(config, 'utf8'), 'mine')
  })
})

describe('the set-up with --ldirectord', () => {
  it('puts lvsd in the place of ldirectord, which stays beside it', () => {
    const clone = builtClone()
    const DESTDIR = temporaryFolder()
    const command = join(DESTDIR, 'usr/sbin/ldirectord')
    write(command)
    for (const _ of ['first', 'again']) {
      assert.equal(setup(clone, 'install --ldirectord', { DESTDIR }).exit, 0)
      assert.equal(readlinkSync(command), join(clone, 'deploy/ldirectord'))
      assert.ok(existsSync(`${command}.perl`))
    }
    const unit = readFileSync(join(DESTDIR, 'etc/systemd/system/ldirectord.service'), 'utf8')
    assert.match(unit, /^ExecStart=\/usr\/sbin\/ldirectord start$/m)
    assert.equal(existsSync(join(DESTDIR, 'usr/local/bin/lvsd')), false)
  })
})

/** A clone in which npm ci and the build are done; both are stood for by their newest files. */
function builtClone(): string {
  const clone = temporaryFolder()
  for (const folder of ['deploy', 'config'])
    cpSync(join(packageRoot, folder), join(clone, folder), { recursive: true })
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json']) write(join(clone, name))
  for (const name of ['src/a.ts', 'checks/a.ts', 'test/a.ts']) write(join(clone, name))
  for (const name of ['node_modules/.package-lock.json', 'dist/src/main.js']) {
    write(join(clone, name))
    const later = new Date(Date.now() + 1000)
    utimesSync(join(clone, name), later, later)
  }
  return clone
}

function write(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}

/** A path on which there is neither apt-get nor dpkg-query. */
function nodeAlone(): string {
  return temporaryFolder()
}

function setup(clone: string, step: string, env: Record<string, string> = {}) {
  const words = [join(clone, 'deploy/setup.mjs'), ...step.split(' ')]
  const { CI: _, DESTDIR: __, ...rest } = process.env
  const { status, stderr } = spawnSync(process.execPath, words, {
    env: { ...rest, ...env },
    encoding: 'utf8',
  })
  return { exit: status, said: stderr }
}
