import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AcceptedConfiguration, isRunnable } from '../../../src/accepted/accepted.js'
import { firstChecksPath, readFirstChecks } from '../../../src/accepted/first-checks.js'
import { loadConfig } from '../../../src/config/load.js'
import { withPaths } from '../../../src/director/compose.js'
import { temporaryFolder } from '../../support/folder.js'

const WEB = `services:
  web: { virtual: '[2001:db8::1]:80', check: http, reals: ['[2001:db8:1::11]:80'] }
`
const CHECKS = { program: 'engine 1', bytes: Buffer.from('some bytes\n\0\xff') }

async function kept(text = WEB, checks: typeof CHECKS | null = CHECKS) {
  const [folder, state] = [temporaryFolder(), temporaryFolder()]
  const file = join(folder, 'sité.yaml')
  const keep = async (next: string, nextChecks: typeof CHECKS | null = CHECKS) => {
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
    assert.deepEqual(readFirstChecks(state, file, 'engine 1'), CHECKS.bytes)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(readFirstChecks(state, file, 'engine 2'), null)
    assert.equal(readFirstChecks(temporaryFolder(), file, 'engine 1'), null)
    writeFileSync(file, `${WEB}# more\n`)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
    rmSync(file)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
  })

  it('are none where another user may have written them', async () => {
    const { file, state, path } = await kept()
    chmodSync(path, 0o620)
    assert.equal(readFirstChecks(state, file, 'engine 1'), null)
  })

  it('are not written again without a change', async () => {
    const { path, keep } = await kept()
    const { ino } = statSync(path)
    await keep(WEB)
    assert.equal(statSync(path).ino, ino)
    await keep(WEB, { ...CHECKS, program: 'engine 2' })
    assert.notEqual(statSync(path).ino, ino)
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
