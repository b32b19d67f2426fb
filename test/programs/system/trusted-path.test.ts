/** Who could change what lies behind a path. Another user is played by a child that is nobody. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { check } from '../../../checks/external.js'
import { check as perl } from '../../../checks/external-perl.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { trustedPath, UntrustedPath, whyUntrusted } from '../../../src/system/trusted-path.js'
import { onCleanup } from '../../support/after-each.js'
import { NOBODY, needsRoot } from '../../support/as-root.js'
import { temporaryFolder } from '../../support/folder.js'
import { probe } from '../../support/probe.js'

/** A folder of ours with `check`, and one of nobody's, `bob`, with `check` as well. */
function place() {
  const folder = realpathSync(temporaryFolder())
  chmodSync(folder, 0o755)
  const bob = join(folder, 'bob')
  mkdirSync(bob)
  for (const file of [join(folder, 'check'), join(bob, 'check')]) {
    writeFileSync(file, '#!/bin/sh\nexit 0\n')
    chmodSync(file, 0o755)
  }
  if (process.getuid?.() === 0) for (const path of [bob, join(bob, 'check')]) chownSync(path, NOBODY, NOBODY)
  const link = (target: string, ...name: string[]) => {
    const path = join(folder, ...name)
    symlinkSync(target, path)
    return path
  }
  return { folder, bob, ours: join(folder, 'check'), link }
}

describe('trusted-path', () => {
  it('leads to the file without links, however many there are', () => {
    const { folder, ours, link } = place()
    mkdirSync(join(folder, 'sub'))
    link('../check', 'sub', 'relative')
    link('.', 'here')
    for (const path of [
      ours,
      link(ours, 'absolute'),
      link('sub/relative', 'twice'),
      `${folder}/here/here/sub/../twice`,
      `${folder}//sub/./..//check`,
    ])
      assert.equal(trustedPath(path), ours)
    assert.equal(trustedPath('/'), '/')
  })

  it('ends with the error of the system where there is nothing', () => {
    const { folder, link } = place()
    link('circle', 'circle')
    for (const [name, code] of [
      ['none', 'ENOENT'],
      ['check/none', 'ENOTDIR'],
      ['circle', 'ELOOP'],
    ] as const)
      assert.throws(() => trustedPath(join(folder, name)), { code })
    assert.throws(() => trustedPath(link('none', 'dangling')), { code: 'ENOENT' })
  })

  it('has nothing on it that others may write, the folders of its links included', () => {
    const { folder, ours, link } = place()
    mkdirSync(join(folder, 'open'))
    const through = link(ours, 'open', 'link')
    chmodSync(join(folder, 'open'), 0o777)
    assert.match(whyUntrusted(through) ?? '', /open may be written by others \(mode 0777\)/)
    chmodSync(join(folder, 'open'), 0o1777)
    assert.equal(whyUntrusted(through), null, 'in a sticky folder nobody else may replace it')
    assert.match(whyUntrusted(join(folder, 'open')) ?? '', /may be written by others/)
  })
})

describe('trusted-path: beside another user', () => {
  before(function () {
    needsRoot(() => this.skip())
  })

  it('has nothing on it that belongs to another user: file, folder, link, or folder of a link', () => {
    const { folder, bob, ours, link } = place()
    const sticky = join(folder, 'sticky')
    mkdirSync(sticky)
    chmodSync(sticky, 0o1777)
    const his = link(ours, 'sticky', 'his')
    lchownSync(his, NOBODY, NOBODY)
    const paths = [
      join(bob, 'check'),
      link('/bin/true', 'bob', 'true'),
      link('bob/true', 'to-true'),
      link('to-true', 'to-to-true'),
      link('bob', 'to-bob'),
      join(folder, 'to-bob/true'),
      `${bob}/../check`,
      his,
    ]
    for (const path of paths) {
      assert.throws(() => trustedPath(path), UntrustedPath, path)
      assert.match(whyUntrusted(path) ?? '', /belongs to user 65534/)
    }
  })

  /** Nobody turns `link` to and fro between what is trusted and what is his, until the test ends. */
  function turning(link: string, trusted: string, evil: string): void {
    const code = `const fs = require('node:fs'); const [link, ...targets] = process.argv.slice(1)
      for (const end = Date.now() + 60_000; Date.now() < end;)
        for (const target of targets) {
          fs.rmSync(link + '.new', { force: true })
          fs.symlinkSync(target, link + '.new')
          fs.renameSync(link + '.new', link)
        }`
    const child = spawn(process.execPath, ['-e', code, link, trusted, evil], { uid: NOBODY, gid: NOBODY })
    onCleanup(() => child.kill('SIGKILL'))
  }

  it('is not run while its owner turns it, whatever leads to it', async function () {
    this.timeout(60_000)
    const { bob, link } = place()
    const evil = join(bob, 'evil')
    writeFileSync(evil, `#!/bin/sh\n/usr/bin/id -u >${bob}/ran\n`)
    chmodSync(evil, 0o755)
    const turned = link('/bin/true', 'bob', 'turned')
    const from = link('bob/turned', 'from-our-folder')
    turning(turned, '/bin/true', evil)
    const answers = new Set<unknown>()
    for (const until = performance.now() + 3000; performance.now() < until; ) {
      for (const checkcommand of [turned, from]) {
        answers.add((await probe(check, 80, { checkcommand }, { timeout: 15_000 })).ok)
        answers.add((await probe(perl, 80, { checkcommand }, { timeout: 15_000 })).ok)
      }
    }
    assert.deepEqual([...answers], [null])
    assert.equal(existsSync(join(bob, 'ran')), false)
  })

  it('is no folder of checks while its owner turns it', async function () {
    this.timeout(60_000)
    const { folder, bob, link } = place()
    const good = join(folder, 'good')
    for (const where of [good, join(bob, 'evil')]) mkdirSync(where)
    writeFileSync(
      join(bob, 'evil', 'evil.mjs'),
      `import { writeFileSync } from 'node:fs'; writeFileSync('${bob}/ran', '')`,
    )
    const turned = link(good, 'bob', 'turned')
    turning(turned, good, join(bob, 'evil'))
    for (const until = performance.now() + 1000; performance.now() < until; ) {
      const { problems } = await loadChecks([turned])
      assert.match(problems[0] ?? '', /belongs to user 65534/)
    }
    assert.deepEqual(readdirSync(bob).includes('ran'), false)
  })
})
