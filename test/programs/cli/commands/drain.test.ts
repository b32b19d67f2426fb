/** `lvsd drain --wait` as a process in a terminal, against a daemon whose answers are given. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ConnectionsAnswer } from '../../../../src/api/connection-types.js'
import { EXIT } from '../../../../src/cli/command.js'
import { onCleanup } from '../../../support/after-each.js'
import { answerOf, connections, drainDaemon } from '../../../support/cli/drain.js'
import { installed } from '../../../support/compile.js'
import { runInTerminal, type Size } from '../../../support/terminal.js'
import { until } from '../../../support/until.js'

const MAIN = installed('main')
const SMALL: Size = { width: 80, height: 24 }
const LARGE: Size = { width: 200, height: 50 }
const LONG = '[2001:db8:1234:5678:9abc:def0:1234:5678]:8080'

async function drain(answers: readonly ConnectionsAnswer[], size: Size, words: readonly string[]) {
  const ended: unknown[] = []
  const reals = answers[0]?.services[0]?.reals.map(({ name }) => name) ?? []
  const daemon = await drainDaemon(answers, { reals, onEnd: body => ended.push(body) })
  const env = { ...process.env, LVSD_SOCKET: daemon.socket, TERM: 'xterm' }
  return { ...daemon, ended, run: runInTerminal([process.execPath, MAIN, 'drain', ...words], size, env) }
}

describe('drain as a process', () => {
  for (const size of [SMALL, LARGE])
    it(`shows one server at ${size.width}x${size.height}, and Ctrl-C leaves the drain in force`, async () => {
      const name = LONG
      const answer = answerOf([connections({ name, active: 12, inactive: 40 })], { persistence: 300 })
      const { run, given, ended } = await drain(
        [answer],
        size,
        ['web/::3', '--wait', '5m'].with(0, `web/${name}`),
      )
      await until(() => run.lines().some(line => line.startsWith('waited 1s')), {
        what: () => run.lines().join('\n'),
      })
      const lines = run.lines()
      assert.ok(lines.every(line => line.length <= size.width))
      const head = lines.findIndex(line => /^STATE +WEIGHT +ACTIVE +INACT +PERSIST +SERVER$/.test(line))
      assert.equal(lines.filter(line => line.startsWith('STATE')).length, 1)
      assert.match(lines[head + 1] ?? '', /^draining +0 +12 +40 +0 {2}web\/\[2001:db8:1234:5678:9abc:/)
      assert.match(lines.slice(0, head).join(' '), /web is persistent: .*, also at weight 0\./)
      run.type('\u0003')
      assert.equal(await run.ended, EXIT.problem)
      const text = run.lines().join('')
      assert.match(
        text,
        /Interrupted after \d+s\..*: 12 active, 40 inactive.*The drain stays in force; end it with: lvsd undrain 'web\//,
      )
      assert.deepEqual([given.length, ended], [1, []])
    })

  it('shows those of 2,000 servers that fit, and ends when all are empty', async () => {
    const names = Array.from({ length: 2000 }, (_, n) => `[2001:db8:1::${(n + 1).toString(16)}]:80`)
    const busy = answerOf(names.map((name, n) => connections({ name, active: n % 2 })))
    const empty = answerOf(names.map(name => connections({ name })))
    const { run } = await drain([busy, busy, empty], SMALL, ['web', '--yes', '--wait', '5m'])
    await until(() => run.lines().some(line => /^1000 of 2000 servers empty: 1000 active/.test(line)), {
      what: () => run.lines().slice(-30).join('\n'),
    })
    assert.ok(
      run.lines().slice(run.lines().findIndex(line => line.startsWith('STATE'))).length <= SMALL.height,
    )
    assert.equal(await run.ended, EXIT.ok)
    assert.match(run.lines().join('\n'), /2000 servers empty after \d+s/)
  })

  it('writes lines into a pipe, and ends at a signal with the drain in force', async () => {
    const { socket } = await drainDaemon([answerOf([connections({ active: 1 })])])
    const child = spawn(process.execPath, [MAIN, 'drain', 'web/::3', '--wait', '5m', '--socket', socket])
    onCleanup(() => void child.kill('SIGKILL'))
    const texts = { out: '', err: '' }
    child.stdout.on('data', chunk => {
      texts.out += chunk
    })
    child.stderr.on('data', chunk => {
      texts.err += chunk
    })
    await until(() => texts.out.includes('1 active'))
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'close'), [EXIT.problem, null])
    assert.match(texts.out, /^web.* drain, by anna.*\n.* {2}web\/\[fd00::3\]:80: 1 active\n$/)
    assert.match(
      texts.err,
      /Interrupted after .*\n.*not empty.*\nThe drain stays in force; end it with: lvsd undrain web\/::3\n$/,
    )
  })
})
