import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOutput } from '../../../src/system/fd-writer.js'
import { onCleanup } from '../../support/after-each.js'

function open(path: string): number {
  const fd = openSync(path, 'w')
  onCleanup(() => closeSync(fd))
  return fd
}

describe('fd-writer: an output', () => {
  it('writes lines in their order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-output-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'log')
    const output = openOutput(open(path), 1000)
    for (const line of ['one\n', 'two\n']) output.write(line)
    await output.flush()
    output.write('three\n')
    await output.flush()
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n')
  })

  it('gives up what a full disk does not take, and goes on', async () => {
    const output = openOutput(open('/dev/full'), 1000)
    for (let i = 0; i < 100; i++) {
      output.write('line\n')
      await output.flush(10_000)
    }
  })

  it('holds back no more than it may', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-output-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'log')
    const output = openOutput(open(path), 10)
    for (let i = 0; i < 5; i++) output.write('12345')
    await output.flush()
    assert.equal(readFileSync(path, 'utf8'), '1234512345')
  })
})
