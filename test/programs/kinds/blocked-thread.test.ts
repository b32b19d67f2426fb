/** A file that stands in a system call is ended with its process; what has loaded it goes on, and ends, all the same. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { descendantsOf, oomScoreOf } from '../../../src/system/process-files.js'
import { scoresBeside } from '../../../src/system/process-marks.js'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { fileOf } from '../../support/kinds/file.js'

describe("blocked-thread: a user's file that stands in a system call", function () {
  this.timeout(60_000)

  it('does not keep a command from ending', async () => {
    const { folder } = blocked()
    const argv = [installed('main'), 'checks', '--brief', '--folder', folder]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] })
    onCleanup(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', chunk => {
      said += chunk
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.match(said, /^ {2}fifo\.mjs +it did not load within 5 s\n {2}well\.mjs +ok$/m)
  })

  it('leaves no process behind, and no thread of lvsd', async () => {
    const { folder } = blocked()
    const top = `import { readFile } from 'node:fs'\nfor (let i = 0; i < 8; i++) readFile(${JSON.stringify(join(folder, 'fifo'))}, () => {})\nawait new Promise(() => {})`
    writeFileSync(join(folder, 'many.mjs'), fileOf('many', { top }), { mode: 0o644 })
    const { files } = await loadChecks([folder])
    assert.deepEqual(
      files.map(({ problem }) => problem),
      ['it did not load within 5 s', 'it did not load within 5 s', null],
    )
    await readFile('/proc/self/stat')
    await gone()
  })
})

/** Processes with users' files end soon. */
async function gone(): Promise<void> {
  const { worker } = scoresBeside(oomScoreOf('self') ?? 0)
  const left = () => descendantsOf(process.pid).filter(pid => oomScoreOf(pid) === worker)
  for (let i = 0; i < 100 && left().length > 0; i++) await new Promise(resolve => setTimeout(resolve, 20))
  assert.deepEqual(left(), [])
}

/** A folder with a file that reads from a pipe into which nobody writes before `release`. */
function blocked() {
  const folder = temporaryFolder()
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const top = `import { readFileSync } from 'node:fs'\nreadFileSync(${JSON.stringify(fifo)})`
  writeFileSync(join(folder, 'fifo.mjs'), fileOf('fifo', { top }), { mode: 0o644 })
  writeFileSync(join(folder, 'well.mjs'), fileOf('well', {}), { mode: 0o644 })
  return { folder }
}
