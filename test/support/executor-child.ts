/**
 * A separate process with executors, for tests that stop the process or exhaust its descriptors. Arguments: `port jobs
 * timeout hoard engine`. Sends each result, and its statistics on request.
 */
import { openSync } from 'node:fs'
import type { Check } from '../../src/check/check.js'
import type { CheckResult } from '../../src/core/model.js'
import { openExecutors } from '../../src/schedule/executors.js'
import { targetOf } from './probe.js'

const [port = 0, jobs = 0, timeout = 0, hoard = 0] = process.argv.slice(2, 6).map(Number)
const engine = process.argv[6] as 'portable' | 'native'

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

let isReady = () => {}
const ready = new Promise<void>(resolve => {
  isReady = resolve
})
const report = (id: string, result: CheckResult) => (id === 'first' ? isReady() : process.send?.(result))
const executors = openExecutors(report, 1000, { descriptors: 1000, engine })
const work = { check, target: targetOf(port), options: {} }

// The engine's thread runs when its first result comes.
executors.set('first', work, { interval: 3_600_000, timeout: 10_000, firstIn: 0 })
await ready
executors.remove('first')

/** Opens files until no descriptors are left. Returns how many there were. */
function takeAll(): number {
  for (let taken = 0; ; taken++)
    try {
      openSync('/dev/null', 'r')
    } catch {
      return taken
    }
}

process.on('message', () => process.send?.({ stats: executors.stats() }))
process.on('disconnect', () => process.exit())
// Repeated, because the runtime frees descriptors while it starts: until it has freed none for a while.
if (hoard) {
  let unchanged = 0
  const hoarding = () => (unchanged = takeAll() === 0 ? unchanged + 1 : 0)
  setInterval(hoarding, 5)
  while (unchanged < 50) await new Promise(resolve => setTimeout(resolve, 5))
}
for (let i = 0; i < jobs; i++) {
  executors.set(`${i}`, work, { interval: 2 * timeout, timeout, firstIn: 0 })
}
