/** A thread that opens sockets as the engine does, and then hangs in a loop. */
import { parentPort, workerData } from 'node:worker_threads'
import type { EngineStart, Report } from '../../../../src/schedule/engine/protocol.js'
import { pauseThread } from '../../../../src/system/epoll.js'
import { noteDescriptorsIn } from '../../../../src/system/noted-descriptors.js'
import { closeDescriptor } from '../../../../src/system/numeric-calls.js'
import { openDatagram, openStream } from '../../../../src/system/sockets.js'

const { descriptors } = workerData as EngineStart
noteDescriptorsIn(descriptors)
const post = (report: Report) => parentPort?.postMessage(report)
const held = Array.from({ length: 10 }, () => [openStream('ipv6'), openDatagram('ipv6')]).flat()
// Its number is taken by a socket of somebody else.
closeDescriptor(openStream('ipv6'))
post({ kind: 'ready' })
const fields = { descriptors: held.join(' ') }
post({ kind: 'line', level: 'info', event: 'check.source-replaced', fields, text: 'after ready' })
for (;;) pauseThread(1000)
