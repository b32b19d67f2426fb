import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { NOBODY, needsRoot } from '../../support/as-root.js'
import { temporaryFolder } from '../../support/folder.js'

describe('setup: the set-up', () => {
  it('does nothing and prints nothing if everything is installed', () => {
    assert.deepEqual(setup(builtClone(), 'build'), { exit: 0, said: '', printed: '' })
    assert.deepEqual(setup(builtClone(), 'test'), { exit: 0, said: '', printed: '' })
  })

  it('prints its usage', () => {
    const { exit, said } = setup(builtClone(), 'nonsense')
    assert.equal(exit, 1)
    assert.match(
      said,
      /usage: .*STEP\n {2}build .*\n {2}test .*\n {2}install .*\n {2}install --ldirectord .*\n {2}uninstall /,
    )
    const help = setup(builtClone(), '--help')
    assert.equal(help.exit, 0)
    assert.match(help.printed, /^usage: .*STEP\n/)
  })

  it('says which Debian packages are missing where it may not install them; in CI that is a failure', () => {
    const clone = builtClone()
    writeFileSync(join(clone, 'test/support/packages.txt'), '# for tests\nno-such-package-of-lvsd # one\n')
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
    assert.equal(readlinkSync(join(DESTDIR, 'usr/local/bin/lvsd')), join(clone, 'dist/src/main.cjs'))
    for (const file of ['systemd/system/lvsd.service', 'sysctl.d/60-lvsd.conf', 'modules-load.d/lvsd.conf'])
      assert.ok(existsSync(join(DESTDIR, 'etc', file)), file)
    const config = join(DESTDIR, 'etc/lvsd/lvsd.yaml')
    assert.equal(readFileSync(config, 'utf8'), readFileSync(join(packageRoot, 'config/example.yaml'), 'utf8'))
    writeFileSync(config, 'mine')
    assert.equal(setup(clone, 'install', { DESTDIR }).exit, 0)
    assert.equal(readFileSync(config, 'utf8'), 'mine')
    assert.equal(setup(clone, 'uninstall', { DESTDIR }).exit, 0)
    assert.deepEqual(filesBelow(DESTDIR), ['etc/lvsd/lvsd.yaml'])
  })

  it('keeps a unit that was changed, and a link that leads elsewhere, when it is uninstalled', () => {
    const clone = builtClone()
    chmodSync(clone, 0o755)
    const DESTDIR = temporaryFolder()
    setup(clone, 'install', { DESTDIR })
    writeFileSync(join(DESTDIR, 'etc/systemd/system/lvsd.service'), '# mine')
    rmSync(join(DESTDIR, 'usr/local/bin/lvsd'))
    symlinkSync('/elsewhere', join(DESTDIR, 'usr/local/bin/lvsd'))
    assert.match(setup(clone, 'uninstall', { DESTDIR }).said, /lvsd.service stays/)
    assert.deepEqual(filesBelow(DESTDIR), [
      'etc/lvsd/lvsd.yaml',
      'etc/systemd/system/lvsd.service',
      'usr/local/bin/lvsd',
    ])
  })

  it('as root refuses a tree that somebody else owns or may write, before anything of it runs', function () {
    needsRoot(() => this.skip())
    const paths = [
      'dist/src/main.cjs',
      'node_modules',
      'node_modules/.package-lock.json',
      'deploy',
      '.',
      'src/a.ts',
    ]
    for (const step of ['install', 'install --ldirectord'])
      for (const path of paths)
        for (const spoil of [
          (file: string) => chownSync(file, NOBODY, NOBODY),
          (file: string) => chmodSync(file, 0o777),
        ]) {
          const clone = builtClone()
          chmodSync(clone, 0o755)
          spoil(join(clone, path))
          const DESTDIR = temporaryFolder()
          const { exit, said } = setup(clone, step, { DESTDIR })
          assert.equal(exit, 1, path)
          assert.match(said, /would run as root: clone into \/opt as root, or chown/)
          assert.deepEqual(filesBelow(DESTDIR), [])
        }
  })
})

describe('setup: the set-up with --ldirectord', () => {
  it('installs lvsd as ldirectord, and keeps the original under another name', () => {
    const clone = builtClone()
    assert.match(setup(clone, 'install --ldirectord', { DESTDIR: '/nowhere' }).said, /closed to other users/)
    chmodSync(clone, 0o755)
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
    assert.equal(readlinkSync(join(DESTDIR, 'usr/local/bin/lvsd')), join(clone, 'dist/src/main.cjs'))
    assert.ok(existsSync(join(DESTDIR, 'etc/modules-load.d/lvsd.conf')))
    assert.equal(setup(clone, 'uninstall', { DESTDIR }).exit, 0)
    assert.deepEqual(filesBelow(DESTDIR), ['usr/sbin/ldirectord'])
    assert.equal(lstatSync(command).isFile(), true)
  })
})

/** A clone in which npm ci and the build are done; both are stood for by their newest files. */
function builtClone(): string {
  const clone = temporaryFolder()
  for (const folder of ['deploy', 'config'])
    cpSync(join(packageRoot, folder), join(clone, folder), { recursive: true })
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    write(join(clone, name))
  for (const name of ['src/a.ts', 'checks/a.ts', 'test/support/a.ts']) write(join(clone, name))
  for (const name of ['node_modules/.package-lock.json', 'dist/src/main.cjs']) {
    write(join(clone, name))
    const later = new Date(Date.now() + 1000)
    utimesSync(join(clone, name), later, later)
  }
  return clone
}

/** What stands below a folder but folders. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => !lstatSync(join(folder, name)).isDirectory())
    .sort()
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
  const { status, stderr, stdout } = spawnSync(process.execPath, words, {
    env: { ...rest, ...env },
    encoding: 'utf8',
  })
  return { exit: status, said: stderr, printed: stdout }
}
