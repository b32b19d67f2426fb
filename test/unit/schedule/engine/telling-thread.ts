/** A thread that says that it is ready, and of two sources that it has chosen. */
import { parentPort } from 'node:worker_threads'
import type { Report } from '../../../../src/schedule/engine/protocol.js'

const post = (report: Report) => parentPort?.postMessage(report)
post({ kind: 'ready' })
for (const given of ['fc00::80', 'fc00::80', 'fc00::81'])
  post({
    kind: 'line',
    level: 'info',
    event: 'check.source-replaced',
    fields: { address: given, source: 'fc00::1', server: 'fc00::11' },
    text: 'told',
  })
setInterval(() => {}, 1000)
