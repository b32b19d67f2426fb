/** Writes a state file again and again, the number of the round in each of its entries, until it is killed. */
import { StateFile } from '../../../src/storage/state-file.js'
import { recordingLog } from '../../support/logs.js'
import { FORM, type Round } from './state-file-form.js'

const path = process.argv[2] ?? ''
const { file, entries } = await StateFile.open<Round>({ path, form: FORM, log: recordingLog().log })
let round = entries[0]?.round ?? 0
for (;;) {
  round++
  // Of another length each time, so that an old file under a new one would be seen.
  await file.save(Array.from({ length: 1 + (round % 200) }, (_, i) => ({ round, i })))
  process.stdout.write(`${round}\n`)
}
