/** Gives and ends overrides until it is killed, and prints which steps it begins and which are on the disk. */
import { CommandOverrides } from '../../../src/overrides/command-overrides.js'
import { recordingLog } from '../../support/logs.js'
import { take } from './overrides-model.js'

const [path = '', first = ''] = process.argv.slice(2)
const overrides = new CommandOverrides({ path, log: recordingLog('silent').log, onChange: () => {} })
await overrides.load()
for (let n = Number(first); ; ) {
  // Several at once, as several operators give them.
  const together = 1 + Math.floor(Math.random() * 4)
  process.stdout.write(`begun ${n + together - 1}\n`)
  const kept = Array.from({ length: together }, () => take(overrides, n++))
  if ((await Promise.all(kept)).every(Boolean)) process.stdout.write(`kept ${n - 1}\n`)
}
