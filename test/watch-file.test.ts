import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { watchFile } from '../src/watch-file.js'
import { later } from './helpers/after-each.js'

const EVERY = 10

async function stage(text = 'one') {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-watch-'))
  const path = join(folder, 'site.cf')
  writeFileSync(path, 'one')
  const state = { changes: 0 }
  const watcher = watchFile({ path, text }, () => state.changes++, EVERY)
  later(() => {
    watcher.close()
    rmSync(folder, { recursive: true })
  })
  const until = async (changes: number) => {
    for (let i = 0; i < 200 && state.changes < changes; i++) await setTimeout(EVERY)
    assert.equal(state.changes, changes)
  }
  return { path, until, settle: () => setTimeout(20 * EVERY) }
}

describe('a watched file', () => {
  it('is noticed when it is written and when another takes its name', async () => {
    const { path, until } = await stage()
    writeFileSync(path, 'two')
    await until(1)
    writeFileSync(`${path}.new`, 'three')
    renameSync(`${path}.new`, path)
    await until(2)
  })

  it('is noticed when it has changed between its reading and the first look', async () => {
    const { until } = await stage('what was read')
    await until(1)
  })

  it('is not noticed when it is only touched, or gone for a moment', async () => {
    const { path, until, settle } = await stage()
    writeFileSync(path, 'one')
    rmSync(path)
    await settle()
    writeFileSync(path, 'one')
    await settle()
    await until(0)
  })
})
