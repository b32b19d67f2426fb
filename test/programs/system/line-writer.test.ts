import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openLineFile } from '../../../src/system/line-writer.js'
import { openWriter } from '../../../src/system/writer-thread.js'
import { temporaryFolder } from '../../support/folder.js'

function stage(path: string, writer = openWriter()) {
  const failures: string[] = []
  const file = openLineFile(path, writer, error => failures.push((error as NodeJS.ErrnoException).code ?? ''))
  const write = async (...lines: readonly string[]) => {
    for (const line of lines) file.write(`${line}\n`)
    await file.idle()
  }
  return { file, failures, write }
}

describe('line-writer: a file of lines', () => {
  it('has them in their order, in a new file where the old one was moved away', async () => {
    const path = join(temporaryFolder(), 'lines')
    const { write } = stage(path)
    await write('one', 'two')
    rmSync(path)
    await write('three')
    assert.equal(readFileSync(path, 'utf8'), 'three\n')
  })

  it('on a full disk is told once, and keeps nothing back for ever', async () => {
    const { write, failures } = stage('/dev/full')
    for (let i = 0; i < 5; i++) await write('lost')
    assert.deepEqual(failures, ['ENOSPC'])
  })

  it('that is a pipe without a reader fails at once, and holds up no stop', async () => {
    const path = join(temporaryFolder(), 'pipe')
    execFileSync('mkfifo', [path])
    const { write, failures } = stage(path)
    const began = performance.now()
    await write('lost')
    assert.deepEqual(failures, ['ENXIO'])
    assert.ok(performance.now() - began < 900)
  })

  it('keeps ten thousand lines at most for a disk that is slow', async () => {
    const path = join(temporaryFolder(), 'lines')
    const { file, write } = stage(path)
    for (let i = 0; i < 15_000; i++) file.write(`${i}\n`)
    await write()
    assert.equal(readFileSync(path, 'utf8').split('\n').length - 1, 10_000)
  })

  it('keeps no process alive once all is written', () => {
    const source = new URL('../../../src/system/', import.meta.url)
    const path = join(temporaryFolder(), 'lines')
    const code = `
      import { openLineFile } from '${source}line-writer.ts'
      import { openWriter } from '${source}writer-thread.ts'
      const file = openLineFile('${path}', openWriter(), error => { throw error })
      file.write('one')
      await file.idle(10_000)`
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', code]
    execFileSync(process.execPath, argv, { timeout: 15_000, killSignal: 'SIGKILL' })
    assert.equal(readFileSync(path, 'utf8'), 'one')
  })
})
