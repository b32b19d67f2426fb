import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCommandQueue } from '../../../src/notify/command-queue.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { until } from '../../support/until.js'

function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-hooks-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  const out = join(folder, 'out')
  const { log, lines } = recordingLog()
  return { hooks: openCommandQueue(log), lines, out, written: () => readFileSync(out, 'utf8') }
}

describe('command-queue: hooks', () => {
  it('run in the shell, with arguments that the shell does not interpret', async () => {
    const { hooks, out, written } = stage()
    void hooks.run('web', `printf '%s|' >>${out} web`, ['start', '[2001:db8::80]:80', '$(id); x'])
    await hooks.idle()
    assert.equal(written(), 'web|start|[2001:db8::80]:80|$(id); x|')
  })

  it('of the same subject run one after the other', async () => {
    const { hooks, out, written } = stage()
    void hooks.run('web', `sleep 0.1; echo >>${out}`, ['first'])
    void hooks.run('web', `echo >>${out}`, ['second'])
    await hooks.idle()
    assert.equal(written(), 'first\nsecond\n')
  })

  it('that fail are logged and do not stop other hooks', async () => {
    const { hooks, lines, out, written } = stage()
    void hooks.run('web', 'echo no such page >&2; exit 3;', [])
    void hooks.run('web', `echo >>${out}`, ['next'])
    await hooks.idle()
    const [told] = lines.filter(line => line.msg === 'hook failed')
    assert.deepEqual([told?.end, String(told?.output).trim()], ['exit 3', 'no such page'])
    assert.equal(written(), 'next\n')
  })

  it('that end by a signal are logged as failed, by a real-time signal too', async () => {
    const { hooks, lines } = stage()
    for (const signal of ['TERM', '40']) void hooks.run('web', `kill -${signal} $$;`, [])
    await hooks.idle()
    assert.deepEqual(
      lines.map(({ msg, end }) => [msg, end]),
      [
        ['hook failed', 'ended by SIGTERM'],
        ['hook failed', 'ended by SIG40'],
      ],
    )
  })

  it('leave processes that may print more than a pipe holds', async () => {
    const { hooks, lines, out } = stage()
    const page = `head -c 300000 /dev/zero && touch ${out}`
    void hooks.run('web', `(while [ ! -e ${out}.ended ]; do sleep 0.02; done; ${page}) & echo begun;`, [])
    await hooks.idle()
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['hook done'],
    )
    writeFileSync(`${out}.ended`, '')
    await until(() => existsSync(out), { what: 'the process that stays has printed all' })
  })

  it('that another user can change are not run, which is logged', async () => {
    const { hooks, lines, out } = stage()
    writeFileSync(`${out}.sh`, `#!/bin/sh\necho >>${out}\n`)
    chmodSync(`${out}.sh`, 0o777)
    for (const line of [`${out}.sh`, `true && '${out}.sh' x`]) void hooks.run(line, line, ['start'])
    await hooks.idle()
    assert.equal(existsSync(out), false)
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['hook not run', 'hook not run'],
    )
    assert.match(String(lines[0]?.error), /may be written by others/)
  })

  it('that are already waiting are not queued again', async () => {
    const { hooks, out, written } = stage()
    const command = `sleep 0.1; echo >>${out}`
    for (const word of ['changed', 'changed', 'changed', 'other']) void hooks.run('file', command, [word])
    await hooks.idle()
    assert.equal(written(), 'changed\nother\n')
  })

  it('run at most eight at the same time', async () => {
    const { hooks, out, written } = stage()
    const command = `echo + >>${out}; sleep 0.2; echo - >>${out}; true`
    for (let i = 0; i < 20; i++) void hooks.run(`service ${i}`, command, [])
    await hooks.idle()
    let [now, most] = [0, 0]
    for (const sign of written().trim().split('\n')) {
      now += sign === '+' ? 1 : -1
      most = Math.max(most, now)
    }
    assert.equal(now, 0)
    assert.ok(most > 1 && most <= 8, `${most} at once`)
  })

  it('may leave background processes; a hook that hangs is killed with its children when lvsd stops', async () => {
    const { hooks, lines, out, written } = stage()
    void hooks.run('web', `(while sleep 0.05; do echo page; done) & echo $! >>${out}; true`, [])
    await hooks.idle()
    const page = Number(written())
    onCleanup(() => process.kill(page, 'SIGKILL'))
    void hooks.run('mail', `sleep 60 & echo $! >>${out}; wait; true`, [])
    void hooks.run('mail', `echo never >>${out}; true`, [])
    await until(() => written().split('\n').length >= 3)
    const began = performance.now()
    await hooks.close(200)
    assert.ok(performance.now() - began < 5000)
    const sleeper = Number(written().split('\n')[1])
    assert.deepEqual([isAlive(page), isAlive(sleeper)], [true, false])
    assert.deepEqual(
      lines.filter(({ msg }) => msg !== 'hook done').map(({ msg }) => msg),
      ['hook failed', 'hook not run: lvsd stops'],
    )
  })
})

/** A process that nobody has asked for its exit code yet is gone all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
