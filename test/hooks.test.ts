import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHooks } from '../src/hooks.js'
import { later } from './helpers/after-each.js'
import { recordingLog } from './helpers/logs.js'

function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-hooks-'))
  later(() => rmSync(folder, { recursive: true }))
  const out = join(folder, 'out')
  const { log, lines } = recordingLog()
  return { hooks: openHooks(log), lines, out, written: () => readFileSync(out, 'utf8') }
}

describe('hooks', () => {
  it('run through the shell, with words that the shell does not read', async () => {
    const { hooks, out, written } = stage()
    hooks.run('web', `printf '%s|' >>${out} web`, ['start', '[2001:db8::80]:80', '$(id); x'])
    await hooks.idle()
    assert.equal(written(), 'web|start|[2001:db8::80]:80|$(id); x|')
  })

  it('of one subject run one after the other', async () => {
    const { hooks, out, written } = stage()
    hooks.run('web', `sleep 0.1; echo >>${out}`, ['first'])
    hooks.run('web', `echo >>${out}`, ['second'])
    await hooks.idle()
    assert.equal(written(), 'first\nsecond\n')
  })

  it('that fail are told and stop nothing', async () => {
    const { hooks, lines, out, written } = stage()
    hooks.run('web', 'echo no such page >&2; exit 3;', [])
    hooks.run('web', `echo >>${out}`, ['next'])
    await hooks.idle()
    const [told] = lines.filter(line => line.msg === 'hook failed')
    assert.deepEqual([told?.end, String(told?.output).trim()], ['exit 3', 'no such page'])
    assert.equal(written(), 'next\n')
  })
})
