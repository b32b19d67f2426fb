/** Logs events in bursts until it is killed, and prints each id with what it was given to, and what is on the disk. */
import { EventMemory } from '../../../src/history/event-memory.js'
import { recordingLog } from '../../support/logs.js'

const [folder = '', run = ''] = process.argv.slice(2)
const memory = await EventMemory.open({ folder, log: recordingLog('silent').log })
for (let n = 0; ; ) {
  for (let burst = Math.random() * 60; burst > 0; burst--) {
    memory.log.info('hook.done', { hook: `${run}.${n++} ${'x'.repeat(Math.random() * 300)}` }, 'done')
    process.stdout.write(`given ${memory.newest} ${run}.${n - 1}\n`)
  }
  if (await memory.flush()) process.stdout.write(`written ${memory.newest}\n`)
}
