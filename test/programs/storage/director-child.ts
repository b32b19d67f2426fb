/** A director on the memory table that keeps its state in the state folder, as with the kernel's table. */
import { AcceptedConfiguration } from '../../../src/accepted/accepted.js'
import { loadConfig } from '../../../src/config/load.js'
import { startDirector } from '../../../src/director/compose.js'
import { openLog } from '../../../src/system/log.js'

const file = process.argv[2] ?? ''
const loaded = await loadConfig(file)
const { config } = loaded
if (!config) throw new Error('the configuration is wrong')
const accepted = new AcceptedConfiguration({ file, state: null, env: {} }, { isTrial: true, tell: () => {} })
const starting = startDirector({
  loaded: { ...loaded, config },
  kept: null,
  keep: next => accepted.keep(next),
  load: () => loadConfig(file),
  table: 'memory',
  isTrial: false,
  log: openLog('info'),
  env: {},
})
// Before the log says that it has started: without a handler SIGHUP would end the process.
process.on('SIGHUP', () => void starting.then(daemon => daemon.reload(true)))
process.on('SIGTERM', () => void starting.then(daemon => daemon.stop()))
await starting
