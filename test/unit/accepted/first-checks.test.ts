import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AcceptedConfiguration, isRunnable } from '../../../src/accepted/accepted.js'
import { acceptedPath, pointerPath } from '../../../src/accepted/accepted-path.js'
import { firstChecksPath, readFirstChecks } from '../../../src/accepted/first-checks.js'
import { loadConfig } from '../../../src/config/load.js'
import { withPaths } from '../../../src/director/compose.js'
import type { FirstChecks } from '../../../src/schedule/executors.js'
import { temporaryFolder } from '../../support/folder.js'

const WEB = `services:
  web: { virtual: '[2001:db8::1]:80', check: http, reals: ['[2001:db8:1::11]:80'] }
`
const CHECKS: FirstChecks = {
  program: 'engine 1',
  bytes: Buffer.from('some bytes\n\0\xff'),
  services: [['web']],
}

async function kept(text = WEB, checks: FirstChecks | null = CHECKS) {
  const [folder, state] = [temporaryFolder(), temporaryFolder()]
  const file = join(folder, 'sité.yaml')
  const keep = async (next: string, nextChecks: FirstChecks | null = CHECKS) => {
    writeFileSync(file, next)
    const loaded = withPaths(await loadConfig(file), { state })
    assert.ok(isRunnable(loaded), JSON.stringify(loaded.problems))
    const paths = { socket: undefined, state }
    const accepted = new AcceptedConfiguration(
      { file, state, env: {} },
      { isTrial: true, tell: assert.fail, paths },
    )
    await accepted.keep(loaded, nextChecks)
  }
  await keep(text, checks)
  return { file, state, keep, path: firstChecksPath(state, file) }
}

describe('first checks: what the next start can begin', () => {
  it('are the bytes that were stored with this text, for this program', async () => {
    const { file, state, path } = await kept()
    assert.deepEqual(readFirstChecks(state, file, 'engine 1'), { bytes: CHECKS.bytes, held: null })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(readFirstChecks(state, file, 'engine 2'), null)
    assert.equal(readFirstChecks(temporaryFolder(), file, 'engine 1'), null)
    rmSync(file)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
  })

  it('are those of the services that are the same in a text that has changed', async () => {
    const mail = `  mail: { virtual: '[2001:db8::2]:110', check: pop, reals: ['[2001:db8:1::12]:110'] }\n`
    const ftp = `  ftp: { virtual: '[2001:db8::3]:21', check: ftp, reals: ['[2001:db8:1::13]:21'] }\n`
    const checks = { ...CHECKS, services: [['web'], ['mail'], ['web', 'mail'], ['gone']] }
    const { file, state } = await kept(`${WEB}${mail}${ftp}`, checks)
    writeFileSync(file, `${WEB}${mail.replace('::12', '::14')}${ftp}`)
    const expected = { bytes: CHECKS.bytes, held: [true, false, true, false] }
    assert.deepEqual(readFirstChecks(state, file, 'engine 1'), expected)
    assert.equal(readFirstChecks(state, file, 'engine 2'), null)
    writeFileSync(file, `${WEB}${mail}  "`)
    const { held } = readFirstChecks(state, file, 'engine 1') ?? assert.fail()
    assert.deepEqual(held, [false, false, false, false])
  })

  it('are none in a text that has changed, where another configuration would run if it had errors, or none', async () => {
    const { file, state } = await kept()
    writeFileSync(file, `${WEB}  more: {}\n`)
    assert.notEqual(readFirstChecks(state, file, 'engine 1'), null)
    writeFileSync(pointerPath(state, file), '/elsewhere\n')
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
    rmSync(pointerPath(state, file))
    rmSync(acceptedPath(state, file))
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
  })

  it('are none where a byte of what they follow from is another one', async () => {
    const { file, state, path } = await kept()
    const bytes = readFileSync(path)
    const sumOfText = createHash('sha256').update(WEB).digest('hex')
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes)
      damaged[i] = (damaged[i] ?? 0) ^ 1
      writeFileSync(path, damaged)
      // With another sum of the text, the sums of the services decide.
      const found = readFirstChecks(state, file, 'engine 1')
      if (bytes.indexOf(sumOfText) > i || i >= bytes.indexOf(sumOfText) + 64)
        assert.equal(found, null, `${i}`)
      else assert.deepEqual(found?.held ?? [true], [true], `${i}`)
    }
  })

  it('are gone before another configuration is stored', async () => {
    const { file, state, path, keep } = await kept()
    // Nothing can be written under its name.
    mkdirSync(`${acceptedPath(state, file)}.new`)
    await assert.rejects(keep(`${WEB}# more\n`))
    assert.equal(existsSync(path), false)
  })

  it('are none where another user may have written them', async () => {
    const { file, state, path } = await kept()
    chmodSync(path, 0o620)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
  })

  it('are not written again without a change', async () => {
    const { path, keep } = await kept()
    const { ctimeNs } = statSync(path, { bigint: true })
    await keep(WEB)
    assert.equal(statSync(path, { bigint: true }).ctimeNs, ctimeNs)
    await keep(WEB, { ...CHECKS, program: 'engine 2' })
    assert.notEqual(statSync(path, { bigint: true }).ctimeNs, ctimeNs)
  })

  it('are removed where the engine has none', async () => {
    const { path, keep } = await kept()
    await keep(WEB, null)
    assert.equal(existsSync(path), false)
  })

  it('are removed where more than the text counts, and in a site, where the role counts', async () => {
    const { path, keep } = await kept()
    const secret = join(temporaryFolder(), 'password')
    writeFileSync(secret, 'x\n')
    await keep(
      `${WEB.replace('check: http', `check: { kind: http, login: u, passwd: { file: ${secret} } }`)}`,
    )
    assert.equal(existsSync(path), false)
    await keep(WEB)
    assert.equal(existsSync(path), true)
    await keep(`cluster: { site: a, role: { from: vrrp, address: '2001:db8::80' } }\n${WEB}`)
    assert.equal(existsSync(path), false)
  })

  it('are done without where something else is in their place', async () => {
    const { path, file, state, keep } = await kept(WEB, null)
    mkdirSync(join(path, 'folder'), { recursive: true })
    await keep(WEB)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
    assert.equal(statSync(path).isDirectory(), true)
    assert.equal(readFileSync(file, 'utf8'), WEB)
  })
})
