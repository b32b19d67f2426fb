import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { EXIT } from '../../../src/cli/command.js'
import { hasSettled, selfFor } from '../../../src/cli/commands/demo.js'
import { command as probe } from '../../../src/cli/commands/probe.js'
import { MOODS, type Mood, unsteadyServer } from '../../../src/cli/demo/servers.js'
import { FIRST_FAILURE, MOOD_LASTS, startSite } from '../../../src/cli/demo/site.js'
import { loadConfig } from '../../../src/config/load.js'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { testContext } from '../../support/context.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

describe('demo', () => {
  it('has a valid configuration without a warning, whose servers all pass at first', async () => {
    const site = await startSite('/tmp/somewhere')
    onCleanup(() => site.close())
    const { config, problems } = await loadConfig('site.yaml', { text: site.yaml })
    assert.deepEqual(problems, [])
    assert.equal(config?.services.length, 2)
    const { context, out } = testContext()
    const words = { CONFIG: temporaryFile('site.yaml', site.yaml), SERVICE: undefined, REAL: undefined }
    assert.equal(await probe.run({ ...context, options: { json: false }, arguments: words }), EXIT.ok, out())
  })

  it('shows a failure within ten seconds, each time another one, and a recovery after each', () => {
    assert.ok(FIRST_FAILURE < 8000 && MOOD_LASTS < 10_000)
    const failures = MOODS.filter((_, i) => i % 2 === 0)
    assert.equal(new Set(failures).size, failures.length)
    assert.ok(!failures.includes('well'))
    assert.ok(MOODS.every((mood, i) => i % 2 === 0 || mood === 'well'))
  })

  it('has a server that fails in the chosen way, always on the same port', async () => {
    const server = await unsteadyServer()
    onCleanup(() => server.close())
    const ask = async (mood: Mood) => {
      await server.feel(mood)
      const signal = AbortSignal.timeout(mood === 'silent' ? 200 : 20_000)
      const answer = await fetch(`http://[::1]:${server.port}/`, { signal }).catch((error: Error) => error)
      return answer instanceof Error
        ? ((answer.cause as { code?: string })?.code ?? answer.name)
        : answer.status
    }
    assert.equal(await ask('well'), 200)
    assert.equal(await ask('error'), 500)
    assert.equal(await ask('refusing'), 'ECONNREFUSED')
    assert.equal(await ask('well'), 200)
    assert.equal(await ask('silent'), 'TimeoutError')
    assert.equal(await ask('well'), 200)
  })

  it('shows the table once all servers have a result and those that are up are in it', () => {
    const real = (state: 'up' | 'down' | 'unknown', kernel: number | null) => ({ state, weight: { kernel } })
    const settled = (...reals: readonly ReturnType<typeof real>[]) =>
      hasSettled({ services: [{ reals }] } as unknown as Parameters<typeof hasSettled>[0])
    assert.equal(settled(real('up', 1), real('down', null)), true)
    assert.equal(settled(real('up', 1), real('up', null)), false)
    assert.equal(settled(real('up', 1), real('unknown', null)), false)
  })

  it('shows its own command line so that it can be copied', () => {
    assert.equal(selfFor('/usr/local/bin/lvsd', '/home/me'), 'lvsd')
    assert.equal(selfFor('/home/me/lvsd/dist/src/main.js', '/home/me/lvsd'), 'node dist/src/main.js')
    assert.equal(selfFor('/opt/lvsd/dist/src/main.js', '/home/me'), 'node /opt/lvsd/dist/src/main.js')
  })

  it('prints the table where there is no terminal, ends after its time or at SIGINT, and leaves nothing', async () => {
    const folder = temporaryFolder()
    const ends = await Promise.all([demo(['--seconds', '0.5'], folder), demo([], folder, 'SIGINT')])
    for (const { exit, out, err } of ends) {
      assert.equal(exit, EXIT.ok, err)
      assert.match(out, /^lvsd demo: /)
      assert.match(out, /^ {2}up +\d+s +\[::1\]:\d+ +masq +3 +3 /m)
      assert.match(out, /^http:\/\/\[::1\]:\d+\/#token=lvsd_[\w-]{45}$/m)
      assert.match(out, /The demo is over/)
    }
    // tsx keeps its cache in the same folder.
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('lvsd')),
      [],
    )
  })
})

/** Runs the demo; with a signal, sends that once the table is shown. */
function demo(words: readonly string[], TMPDIR: string, signal?: NodeJS.Signals) {
  return new Promise<{ exit: number | null; out: string; err: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [installed('main'), 'demo', ...words], {
      env: { ...process.env, TMPDIR },
    })
    let out = ''
    let err = ''
    child.stderr.on('data', chunk => {
      err += chunk
    })
    child.stdout.on('data', chunk => {
      const wasShown = out.includes('cache')
      out += chunk
      if (signal && !wasShown && out.includes('cache')) child.kill(signal)
    })
    child.on('error', reject)
    child.on('close', exit => resolve({ exit, out, err }))
  })
}
