import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Instance, lockOf, pidFileOf } from '../../../src/ldirectord-command/paths.js'
import { daemonOf, findDaemon, identify } from '../../../src/ldirectord-command/processes.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

describe('processes: who runs a file', () => {
  const rows: [who: string, words: (folder: string) => string[], state: string][] = [
    ['ldirectord itself', folder => [`${folder}/ldirectord`, 'web.cf', 'start'], 'running'],
    ['ldirectord, for another file', folder => [`${folder}/ldirectord`, 'other.cf', 'start'], 'stale'],
    ['ldirectord, about to end', folder => [`${folder}/ldirectord`, 'web.cf', 'stop'], 'stale'],
    [
      'another script, with its words',
      folder => [`${folder}/other`, 'ldirectord', 'web.cf', 'start'],
      'stale',
    ],
  ]
  for (const [who, words, state] of rows)
    it(`${state}: the pid file names ${who}`, async () => {
      const { folder, env, instance } = machine()
      for (const name of ['ldirectord', 'other']) writeFileSync(join(folder, name), 'sleep 60')
      const child = spawn('perl', words(folder), { stdio: 'ignore' })
      await once(child, 'spawn')
      onCleanup(() => child.kill('SIGKILL'))
      writeFileSync(pidFileOf(instance, env), `${child.pid}\n`)
      assert.equal(findDaemon(instance, env).state, state)
    })

  it('a pid that belongs to another process now is not a daemon of lvsd', () => {
    const { env, instance } = machine()
    const me = identify(process.pid)
    assert.ok(me)
    const record = (started: string) =>
      writeFileSync(lockOf(instance, env), JSON.stringify({ ...me, started, ...instance }))
    record(me.started)
    assert.equal(findDaemon(instance, env).state, 'running')
    assert.equal(daemonOf(me.pid, env)?.name, 'web.cf')
    record(`${Number(me.started) - 1}`)
    assert.equal(findDaemon(instance, env).state, 'stopped')
    writeFileSync(pidFileOf(instance, env), `${me.pid}\n`)
    assert.equal(findDaemon(instance, env).state, 'stale')
  })

  it('a lock file that is empty or incomplete names no process', () => {
    const { env, instance } = machine()
    for (const text of ['', '{"pid":1,"sta']) {
      writeFileSync(lockOf(instance, env), text)
      assert.equal(findDaemon(instance, env).state, 'stopped')
    }
  })
})

function machine() {
  const folder = temporaryFolder()
  const env = { LVSD_LDIRECTORD_ROOT: folder }
  for (const name of ['var/run', 'run/ldirectord']) mkdirSync(join(folder, name), { recursive: true })
  const file = join(folder, 'web.cf')
  const instance: Instance = { name: 'web.cf', file, path: file }
  return { folder, env, instance }
}
