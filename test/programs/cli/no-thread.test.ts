/** A director as a process of a user who has as many processes and threads as he may have. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SMALL } from '../../../src/config/reader.js'
import { onCleanup } from '../../support/after-each.js'
import { needsRoot } from '../../support/as-root.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

/** A user who has no other processes: the limit counts those of all. */
const USER = 100_000 + process.pid
/** Starts a program as that user, who may read these files wherever they are. */
const AS_USER = [
  ...['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
]
/** Prints how many threads Node.js has that has used its pool. */
const COUNT =
  "fs.stat('/', () => setTimeout(() => console.log(fs.readdirSync('/proc/self/task').length), 100))"

function siteIn(folder: string, weight: number, comment: number): string {
  const settings = `{ socket: ${join(folder, 's.sock')}, state: ${join(folder, 'state')} }`
  const service = `{ virtual: '192.0.2.80:80', check: on, reals: ['192.0.2.1:80 masq ${weight}'] }`
  return `settings: ${settings}\nservices: { web: ${service} }\n#${'x'.repeat(comment)}\n`
}

/** Starts a director that can start no thread. */
async function started(comment: number) {
  const folder = temporaryFolder()
  const file = join(folder, 'lvsd.yaml')
  const write = (weight: number) => writeFileSync(file, siteIn(folder, weight, comment))
  write(1)
  const [command = '', ...options] = AS_USER
  const { stdout } = await promisify(execFile)(command, [...options, process.execPath, '-e', COUNT])
  const limited = [...options, 'prlimit', `--nproc=${Number(stdout)}`, process.execPath]
  const child = spawn(command, [...limited, installed('main'), 'run', file, '--kernel', 'memory'])
  onCleanup(() => void child.kill('SIGKILL'))
  const one = { log: '', write, reload: () => void child.kill('SIGHUP') }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      one.log += text
    })
  const told = (what: string) =>
    until(() => one.log.includes(what) || child.exitCode !== null, { what: () => `${what} in ${one.log}` })
  return { ...one, told, logged: () => one.log }
}

describe('lvsd run, where no further thread can be started', function () {
  this.timeout(60_000)
  before(function () {
    needsRoot(() => this.skip())
  })

  it('reads a long configuration in the first thread, and refuses to reload it with the reason', async () => {
    const { told, logged, write, reload } = await started(SMALL)
    await told('"daemon.started"')
    assert.match(logged(), /"engine\.portable".*EAGAIN/)
    await told('"real.up"')
    write(2)
    reload()
    await told('"reload.refused"')
    assert.match(logged(), /TOO_COSTLY.*the file cannot be read: no thread can be started for it \(EAGAIN\)/)
  })

  it('reloads a short one', async () => {
    const { told, logged, write, reload } = await started(1)
    await told('"daemon.started"')
    write(2)
    reload()
    await told('"reload.')
    assert.match(logged(), /"reload\.accepted"/)
  })
})
