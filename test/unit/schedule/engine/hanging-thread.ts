/** A thread that says that it is ready, and takes no turn. */
import { parentPort } from 'node:worker_threads'
import type { Report } from '../../../../src/schedule/engine/protocol.js'

const post = (report: Report) => parentPort?.postMessage(report)
post({ kind: 'ready' })
post({ kind: 'line', level: 'info', event: 'check.source-replaced', fields: {}, text: 'after ready' })
setInterval(() => {}, 1000)
