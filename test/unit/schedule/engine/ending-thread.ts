/** A thread that does as the engine's, and ends after a second. */
import { setTimeout } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'
import { Engine } from '../../../../src/schedule/engine/engine.js'
import type { EngineStart, EngineTerms, Order } from '../../../../src/schedule/engine/protocol.js'

const { shared } = workerData as EngineStart
let engine: Engine | undefined
parentPort?.once('message', ({ cap }: EngineTerms) => {
  engine = new Engine({ cap, shared, sources: null, post: report => parentPort?.postMessage(report) })
  parentPort?.on('message', (orders: readonly Order[]) => engine?.take(orders))
  parentPort?.postMessage({ kind: 'ready' })
})
const turns = setInterval(() => engine?.turn(), 1)
setTimeout(() => {
  clearInterval(turns)
  process.exit(3)
}, 1000)
