/**
 * A process of its own with executors, for what cannot be done to the process of the tests: stopping it, and leaving it
 * without descriptors. Takes `port jobs timeout hoard`; tells each result, and its own account when asked.
 */
import { openSync } from 'node:fs'
import type { Check } from '../../src/check/check.js'
import { openExecutors } from '../../src/schedule/executors.js'
import { targetOf } from './probe.js'

const [port = 0, jobs = 0, timeout = 0, hoard = 0] = process.argv.slice(2).map(Number)

const check = {
  probe: ({ address, port: to }) => ({
    kind: 'tcp',
    address,
    port: to,
    send: Buffer.from('GET / HTTP/1.0\r\n\r\n'),
    end: false,
    reset: false,
    judge: { kind: 'http', method: 'GET', status: [[200, 200]], match: null, limit: 1000 },
  }),
} as Pick<Check, 'probe'> as Check

const executors = openExecutors((_id, result) => process.send?.(result), 1000, { descriptors: 1000 })

/** Takes every descriptor that is left. */
function takeAll(): void {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch {
    // That was the last.
  }
}

process.on('message', () => process.send?.({ stats: executors.stats() }))
process.on('disconnect', () => process.exit())
// What the runtime closes while it starts is taken as well.
if (hoard) setInterval(takeAll, 5)
if (hoard) await new Promise(resolve => setTimeout(resolve, 300))
for (let i = 0; i < jobs; i++) {
  executors.set(
    `${i}`,
    { check, target: targetOf(port), options: {} },
    { interval: 2 * timeout, timeout, firstIn: 0 },
  )
}
