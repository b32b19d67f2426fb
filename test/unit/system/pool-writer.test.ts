import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPoolWriter } from '../../../src/system/pool-writer.js'
import type { Writer } from '../../../src/system/writer-thread.js'
import { onCleanup } from '../../support/after-each.js'

/** More than a pipe takes. */
const MUCH = 200_000

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsd-pool-writer-'))
  onCleanup(() => rmSync(path, { recursive: true }))
  return path
}

function open(path: string, flags: number): number {
  const fd = openSync(path, flags)
  onCleanup(() => closeSync(fd))
  return fd
}

/** A pipe with a writing and a reading end, each opened without waiting for the other. */
function pipe(flag = 0): { readonly into: number; readonly from: number } {
  const path = join(folder(), 'pipe')
  execFileSync('mkfifo', [path])
  const into = open(path, constants.O_RDWR | flag)
  return { into, from: open(path, constants.O_RDONLY | constants.O_NONBLOCK) }
}

/** Reads what is there. */
function read(fd: number): number {
  const room = Buffer.alloc(MUCH)
  try {
    return readSync(fd, room)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

function apart() {
  const written: Uint8Array[] = []
  const writer: Writer = {
    write: async (_, bytes) => {
      written.push(bytes)
      return null
    },
  }
  let opened = 0
  const open = () => {
    opened++
    return writer
  }
  return { written, open, opened: () => opened }
}

describe('pool-writer', () => {
  it('writes to a file without a thread of its own', async () => {
    const path = join(folder(), 'log')
    const fd = open(path, constants.O_WRONLY | constants.O_CREAT)
    const other = apart()
    const writer = openPoolWriter({ open: other.open })
    assert.equal(await writer.write(fd, Buffer.from('one ')), null)
    assert.equal(await writer.write(fd, Buffer.from('two')), null)
    assert.equal(readFileSync(path, 'utf8'), 'one two')
    assert.equal(other.opened(), 0)
  })

  it('says why a write has failed', async () => {
    const fd = open('/dev/full', constants.O_WRONLY)
    const error = await openPoolWriter().write(fd, Buffer.from('one'))
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  })

  it('waits for a pipe that is full, and holds no thread meanwhile', async () => {
    const { into, from } = pipe(constants.O_NONBLOCK)
    const other = apart()
    let isDone = false
    const writing = openPoolWriter({ open: other.open })
      .write(into, Buffer.alloc(MUCH))
      .finally(() => {
        isDone = true
      })
    let bytes = 0
    while (!isDone || bytes < MUCH) {
      bytes += read(from)
      await sleep(1)
    }
    assert.equal(await writing, null)
    assert.equal(bytes, MUCH)
    assert.equal(other.opened(), 0)
  })

  it('leaves all further writes to a thread of their own after one that hung', async () => {
    const { into, from } = pipe()
    const other = apart()
    const writer = openPoolWriter({ open: other.open, hangs: 20 })
    const writing = writer.write(into, Buffer.alloc(MUCH))
    await sleep(100)
    let bytes = 0
    while (bytes < MUCH) {
      bytes += read(from)
      await sleep(1)
    }
    assert.equal(await writing, null)
    assert.equal(other.opened(), 1)
    await writer.write(into, Buffer.from('next'))
    assert.deepEqual(other.written.map(String), ['next'])
  })
})
