/** The API in a process that has no descriptor left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { until } from '../../support/until.js'

describe('the API over TCP without a file descriptor', () => {
  it('says so once, survives it, and accepts connections again', async function () {
    this.timeout(90_000)
    const program = join(packageRoot, 'test/support/api/few-descriptors.ts')
    const command = `ulimit -n 128; exec "${process.execPath}" --import tsx "${program}"`
    const child = spawn('sh', ['-c', command], { cwd: packageRoot, stdio: ['pipe', 'pipe', 'inherit'] })
    onCleanup(() => void child.kill('SIGKILL'))
    const said: string[] = []
    createInterface({ input: child.stdout }).on('line', line => said.push(line))
    const heard = (what: string) =>
      until(() => said.some(line => line.startsWith(what)), { what, patience: 60_000 })
    await heard('listening ')
    const address = said[0]?.split(' ')[1] ?? ''
    const status = () =>
      new Promise<number | null>(resolve => {
        const request = get(`http://${address}/healthz`, { agent: false, timeout: 2000 }, response =>
          resolve(response.resume().statusCode ?? null),
        )
        request.on('timeout', () => request.destroy()).on('error', () => resolve(null))
      })
    assert.equal(await status(), 200)
    child.stdin.write('fill\n')
    await heard('event api.no-descriptors')
    // There are descriptors for few of them, if connections above are gone by now. Node closes the others at once, or lets
    // them wait for a descriptor if another thread took the one that it keeps for this.
    await Promise.all(Array.from({ length: 40 }, status))
    child.stdin.write('free\n')
    await heard('event api.accepts')
    assert.equal(await status(), 200)
    assert.deepEqual(
      said.filter(line => line.startsWith('event ')),
      ['event api.no-descriptors', 'event api.accepts'],
    )
  })
})
