import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { openThread } from '../../../../src/system/thread.js'
import { onCleanup } from '../../../support/after-each.js'

describe('guardSockets', () => {
  it('reads a part of what has come in a turn, so that others have theirs, and all of it in the end', async () => {
    const answers = Buffer.from('+OK\r\n'.repeat(1_000_000))
    const server = createServer(socket => socket.on('error', () => {}).end(answers)).listen(0, '::1')
    onCleanup(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    // The guard changes all sockets of its thread.
    const reader = openThread(new URL('../../../support/guarded-reader.ts', import.meta.url), {
      workerData: { port, size: answers.length },
    })
    onCleanup(() => reader.terminate().then(() => {}))
    const [most] = await once(reader, 'message')
    // A chunk before the socket pauses, and one that was on its way.
    assert.ok(most <= 2 * 65_536, `${most} bytes`)
  })
})
