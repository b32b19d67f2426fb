/** A file that stands in a system call cannot be ended by anybody; what has loaded it goes on, and ends, all the same. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadChecks } from '../../src/load-checks.js'
import { later } from '../helpers/after-each.js'
import { temporaryFolder } from '../helpers/folder.js'
import { fileOf } from './_file.js'

describe("a user's file that stands in a system call", function () {
  this.timeout(60_000)

  it('does not keep a command from ending', async () => {
    const { folder } = blocked()
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
    const argv = ['--import', 'tsx', main, 'checks', '--brief', '--folder', folder]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] })
    later(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', chunk => {
      said += chunk
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.match(said, /^ {2}fifo\.mjs +it is not loaded within 5 s\n {2}well\.mjs +ok$/m)
  })

  it('is not loaded again and again', async () => {
    const { folder, release } = blocked()
    const problemNow = async () => (await loadChecks([folder])).files[0]?.problem
    assert.equal(await problemNow(), 'it is not loaded within 5 s')
    // Right after the first time nobody knows yet that its thread stays.
    const problems = [await problemNow(), await problemNow()]
    assert.match(problems[1] ?? '', /while its thread of an earlier time stands in a system call/)
    release()
  })
})

/** A folder with a file that reads from a pipe into which nobody writes before `release`. */
function blocked() {
  const folder = temporaryFolder()
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const top = `import { readFileSync } from 'node:fs'\nreadFileSync(${JSON.stringify(fifo)})`
  writeFileSync(join(folder, 'fifo.mjs'), fileOf('fifo', { top }), { mode: 0o644 })
  writeFileSync(join(folder, 'well.mjs'), fileOf('well', {}), { mode: 0o644 })
  const release = () => closeSync(openSync(fifo, 'w'))
  return { folder, release }
}
