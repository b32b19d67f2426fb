import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RoleKeeper } from '../../../../src/cluster/role/role-keeper.js'
import { onCleanup } from '../../../support/after-each.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { until } from '../../../support/until.js'

function stage(text: string | null) {
  const path = join(temporaryFolder(), 'role')
  if (text !== null) writeFileSync(path, text)
  const { log, lines } = recordingLog()
  const changes: string[] = []
  const keeper = new RoleKeeper({
    log,
    onChange: ({ role, reason }, before) => changes.push(`${before} -> ${role}: ${reason}`),
  })
  onCleanup(() => keeper.close())
  return { path, keeper, changes, lines, settings: { from: 'file', path, lease: 5000 } as const }
}

describe('role keeper', () => {
  it('is active without a cluster, from the start', async () => {
    const { keeper, changes } = stage(null)
    await keeper.prepare(null)
    assert.deepEqual([keeper.state.role, keeper.state.reason, changes], ['active', 'it is always active', []])
  })

  it('knows the role of a file before it has started, and tells no change for it', async () => {
    const { keeper, changes, path, settings } = stage('standby\n')
    await keeper.prepare(settings)
    assert.deepEqual(
      [keeper.state.role, keeper.state.reason, changes],
      ['standby', `the file ${path} says standby`, []],
    )
  })

  it('follows the file: rewritten, renamed into place, missing', async () => {
    const { keeper, changes, path, settings } = stage('BACKUP')
    await keeper.prepare(settings)
    writeFileSync(path, 'MASTER')
    await until(() => changes.length === 1, { what: 'the first change' })
    writeFileSync(`${path}.new`, 'FAULT')
    renameSync(`${path}.new`, path)
    await until(() => changes.length === 2, { what: 'the second change' })
    writeFileSync(path, 'active')
    await until(() => changes.length === 3, { what: 'the third change' })
    rmSync(path)
    await until(() => changes.length === 4, { what: 'the fourth change' })
    assert.deepEqual(changes, [
      `standby -> active: the file ${path} says MASTER`,
      `active -> standby: the file ${path} says FAULT`,
      `standby -> active: the file ${path} says active`,
      `active -> standby: the file ${path} is missing`,
    ])
  })

  it('keeps its role while the file says nothing it knows, and tells it once', async () => {
    const { keeper, changes, path, settings, lines } = stage('active')
    await keeper.prepare(settings)
    writeFileSync(path, '')
    writeFileSync(path, 'actve')
    await until(() => keeper.trouble !== null, { what: 'a word that is no role' })
    rmSync(path)
    mkdirSync(path)
    await until(() => keeper.trouble?.includes('cannot be read') === true, { what: 'a folder' })
    assert.deepEqual([keeper.state.role, changes], ['active', []])
    rmSync(path, { recursive: true })
    writeFileSync(path, 'active')
    await until(() => keeper.trouble === null, { what: 'a role again' })
    assert.deepEqual(
      lines.map(({ event }) => event).filter((event, i, all) => event !== all[i - 1]),
      ['role.unknown', 'role.known'],
    )
  })

  it('keeps its source over a reload, and takes another', async () => {
    const { keeper, changes, path, settings } = stage('standby')
    await keeper.prepare(settings)
    const { since } = keeper.state
    keeper.follow({ ...settings })
    assert.equal(keeper.state.since, since)
    keeper.follow(null)
    assert.deepEqual(changes, ['standby -> active: it is always active'])
    keeper.follow(settings)
    await until(() => changes.length === 2, { what: 'the file again' })
    assert.equal(changes[1], `active -> standby: the file ${path} says standby`)
  })
})
