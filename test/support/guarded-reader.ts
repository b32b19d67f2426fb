/** A thread that reads from a server through the guard of the thread of Redis: tells how much it has read in one turn at most. */
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { guardSockets } from '../../src/cluster/redis/socket-guard.js'

const { port, size } = workerData as { port: number; size: number }
let [turn, most, all] = [0, 0, 0]

guardSockets()
const socket = connect({ host: '::1', port })
// By then the answers fill the buffers of the kernel.
socket.once('connect', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200))
socket.on('data', chunk => {
  if (turn === 0)
    setImmediate(() => {
      turn = 0
    })
  turn += chunk.length
  most = Math.max(most, turn)
  all += chunk.length
  if (all < size) return
  socket.destroy()
  parentPort?.postMessage(most)
})
