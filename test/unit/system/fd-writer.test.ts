import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openOutput } from '../../../src/system/fd-writer.js'
import { openPoolWriter } from '../../../src/system/pool-writer.js'
import { openWriter } from '../../../src/system/writer-thread.js'
import { onCleanup } from '../../support/after-each.js'

function open(path: string): number {
  const fd = openSync(path, 'w')
  onCleanup(() => closeSync(fd))
  return fd
}

/** Reads what is there. */
function readFrom(fd: number, room: Buffer): number {
  try {
    return readSync(fd, room)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
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

  for (const [how, openWith] of [
    ["libuv's threads", openPoolWriter],
    ['a thread of its own', openWriter],
  ] as const)
    it(`begins a line anew after one that was cut: ${how}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lvsd-output-'))
      onCleanup(() => rmSync(folder, { recursive: true }))
      const path = join(folder, 'pipe')
      execFileSync('mkfifo', [path])
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      onCleanup(() => closeSync(fd))
      const output = openOutput(fd, 1 << 20, openWith())
      const room = Buffer.alloc(200_000)
      output.write(`${'a'.repeat(150_000)}\n`)
      while (readFrom(reader, room) === 0) await sleep(1)
      // A pipe without a reader is an error of the next part.
      closeSync(reader)
      await output.flush(30_000)
      const next = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      onCleanup(() => closeSync(next))
      output.write('b\n')
      output.write('c\n')
      let heard = ''
      while (!heard.endsWith('c\n')) {
        heard += room.toString('latin1', 0, readFrom(next, room))
        await sleep(1)
      }
      assert.match(heard, /^a*\nb\nc\n$/)
      await output.flush()
      output.write('d\n')
      await output.flush()
      assert.equal(room.toString('latin1', 0, readFrom(next, room)), 'd\n')
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
