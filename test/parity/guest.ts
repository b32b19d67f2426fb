/** Program inside a lab: runs its share of the scenarios. Prints each outcome as a line of JSON. */
import { endNow } from '../../src/system/exit.js'
import { Directors, nameTheServers } from './directors.js'
import { runBatch } from './run-batch.js'
import { batches } from './scenarios/index.js'

const names = new Set(process.argv.slice(2))
const share = batches
  .map(batch => ({ ...batch, scenarios: batch.scenarios.filter(({ name }) => names.has(name)) }))
  .filter(({ scenarios }) => scenarios.length > 0)
const slots = Math.max(...share.map(({ scenarios }) => scenarios.length))
nameTheServers(slots)
const directors = new Directors()
await directors.build(slots)
for (const batch of share) {
  for (const outcome of await runBatch(batch, directors)) console.log(JSON.stringify(outcome))
}
// `process.exit` may hang while the threads of Node.js end (its issue 54918).
endNow(0, true)
