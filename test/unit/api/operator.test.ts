import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { operatorOf } from '../../../src/api/operator.js'
import { onCleanup } from '../../support/after-each.js'
import { NOBODY, needsRoot } from '../../support/as-root.js'
import { temporaryFolder } from '../../support/folder.js'

/** The server's end of a connection that `knock` makes to a path. */
async function accepted(knock: (path: string) => unknown = ownKnock): Promise<Socket> {
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const path = join(folder, 'socket')
  const server = createServer().listen(path)
  onCleanup(() => server.close())
  await once(server, 'listening')
  chmodSync(path, 0o666)
  knock(path)
  const [socket] = (await once(server, 'connection')) as [Socket]
  onCleanup(() => socket.destroy())
  return socket
}

function ownKnock(path: string): void {
  const client = connect(path)
  onCleanup(() => client.destroy())
}

function knockAsNobody(path: string): void {
  const script = `require('node:net').connect(process.argv[1]).on('error', () => {}); setTimeout(() => {}, 20_000)`
  const child = spawn(process.execPath, ['-e', script, path], { uid: NOBODY, gid: NOBODY, cwd: '/' })
  onCleanup(() => child.kill('SIGKILL'))
}

describe('operatorOf', () => {
  it('is the user of the process at the other end', async () => {
    assert.equal(operatorOf(await accepted(), undefined), userInfo().username)
  })

  it('is the user on whose behalf root asks', async function () {
    needsRoot(() => this.skip())
    const socket = await accepted()
    assert.equal(operatorOf(socket, 'anna'), 'anna (sudo)')
    assert.equal(operatorOf(socket, 'root'), 'root')
    assert.equal(operatorOf(socket, ''), 'root')
    assert.equal(operatorOf(socket, `an\nna${'x'.repeat(100)}`), `an na${'x'.repeat(59)} (sudo)`)
  })

  it('is accepted only from root', async function () {
    needsRoot(() => this.skip())
    assert.equal(operatorOf(await accepted(knockAsNobody), 'anna'), 'nobody')
  })

  it('is unknown after the connection has ended', async () => {
    const socket = await accepted()
    socket.destroy()
    await once(socket, 'close')
    assert.equal(operatorOf(socket, undefined), 'unknown')
  })
})
