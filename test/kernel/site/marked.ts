/** A connection of the director whose packets have a firewall mark. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { EINPROGRESS } from '../../../src/system/numeric-calls.js'
import {
  bindSocket,
  connectSocket,
  markSocket,
  openStream,
  socketAddress,
} from '../../../src/system/sockets.js'
import { address } from '../../support/tables.js'
import { DIRECTOR, within } from './namespaces.js'

/** Milliseconds for an answer. */
const TIMEOUT = 3000

interface Marked {
  /** The address that is asked, on port 80. */
  readonly to: string
  /** An address of the director. */
  readonly from: string
  /** 0: the kernel chooses. */
  readonly port?: number
  /** 0: none. */
  readonly mark: number
}

/** Asks for a page. Returns the answer, or why there is none. */
export async function askMarked({ to, from, port = 0, mark }: Marked): Promise<string> {
  const target = address(to)
  const fd = within(DIRECTOR, () => openStream(target.family))
  assert.equal(markSocket(fd, mark), 0)
  assert.equal(bindSocket(fd, socketAddress(address(from), port)), 0)
  const outcome = connectSocket(fd, socketAddress(target, 80))
  assert.ok(outcome === 0 || outcome === EINPROGRESS, `connect: ${outcome}`)
  const socket = new Socket({ fd })
  let text = ''
  socket.setEncoding('latin1').on('data', part => {
    text += part
  })
  const late = setTimeout(() => socket.destroy(new Error('no answer')), TIMEOUT)
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
