/**
 * The kernel sends a packet of a known connection to the server of that connection, whatever its mark. So probes with a
 * mark take their local ports in turn (`probe/engine/local-ports.ts`).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { EINPROGRESS } from '../../src/system/numeric-calls.js'
import { bindSocket, connectSocket, markSocket, openStream, socketAddress } from '../../src/system/sockets.js'
import { address } from '../support/tables.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, ipvsadm } from './site/site.js'

const VIRTUAL = 'fc00::90'
const SERVERS = { r31: 'fc00::31', r32: 'fc00::32' }
const MARKS = { r31: 0x4c56_0001, r32: 0x4c56_0002 }

async function ask(mark: number, port: number): Promise<string> {
  const fd = within(DIRECTOR, () => openStream('ipv6'))
  assert.equal(markSocket(fd, mark), 0)
  assert.equal(bindSocket(fd, socketAddress(address('fc00::d'), port)), 0)
  const outcome = connectSocket(fd, socketAddress(address(VIRTUAL), 80))
  assert.ok(outcome === 0 || outcome === EINPROGRESS, `connect: ${outcome}`)
  const socket = new Socket({ fd })
  let text = ''
  socket.setEncoding('latin1').on('data', part => {
    text += part
  })
  const late = setTimeout(() => socket.destroy(new Error('no answer')), 3000)
  socket.write('GET / HTTP/1.0\r\n\r\n')
  try {
    await once(socket, 'close')
    return text.split('\r\n\r\n')[1]?.trim() ?? 'cut off'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

describe('a marked connection from a port that another path has used', () => {
  before(async () => {
    await buildSite(
      [VIRTUAL],
      Object.entries(SERVERS).map(([name, real]) => ({ name, address: real, virtual: [VIRTUAL] })),
    )
  })

  beforeEach(async () => {
    await freshDirector()
    for (const name of ['r31', 'r32'] as const) {
      startRealServer(name)
      await ipvsadm('-A', '-f', String(MARKS[name]), '-6', '-s', 'rr')
      await ipvsadm('-a', '-f', String(MARKS[name]), '-6', '-r', `[${SERVERS[name]}]:80`, '-g')
    }
  })

  it('reaches the server of that path while it has not answered', async () => {
    ip('r31', [`addr del ${VIRTUAL}/128 dev lo`])
    const seen = [await ask(MARKS.r31, 40001), await ask(MARKS.r32, 40001), await ask(MARKS.r32, 40003)]
    assert.deepEqual(seen, ['no answer', 'no answer', 'r32'])
  })
})
