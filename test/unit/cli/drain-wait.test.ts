import assert from 'node:assert/strict'
import type { ConnectionsAnswer } from '../../../src/api/connection-types.js'
import { openControlSocket } from '../../../src/api/server.js'
import { EXIT } from '../../../src/cli/command.js'
import { command as drain } from '../../../src/cli/commands/drain.js'
import { outcomeLines, waitForDrain } from '../../../src/cli/drain-wait.js'
import { onCleanup } from '../../support/after-each.js'
import { answerOf, connections, drainDaemon } from '../../support/cli/drain.js'
import { testContext } from '../../support/context.js'
import { until } from '../../support/until.js'

const BUSY = answerOf([connections({ active: 12, inactive: 40 })])
const CLOSING = answerOf([connections({ inactive: 3 })])
const EMPTY = answerOf([connections()])
const TARGETS = [{ service: 'web', real: '[fd00::3]:80' }]

async function waiting(
  answers: readonly ConnectionsAnswer[],
  { wait = 20_000, every = 5, screen = {}, isQuiet = false } = {},
) {
  const daemon = await drainDaemon(answers)
  const test = testContext(screen)
  const done = waitForDrain({
    context: test.context,
    socket: daemon.socket,
    targets: TARGETS,
    wait,
    isQuiet,
    every,
  })
  return { ...test, ...daemon, done }
}

describe('drain-wait: waiting for a drain', () => {
  it('ends when the kernel counts nothing any more', async () => {
    const { done, out } = await waiting([BUSY, BUSY, CLOSING, EMPTY])
    const outcome = await done
    assert.equal(outcome.outcome, 'empty')
    assert.match(out(), /^\S+ \S+ \S+ {2}web\/\[fd00::3\]:80: 12 active, 40 inactive$/m)
    assert.match(outcomeLines(outcome, '').join(), /^web\/\[fd00::3\]:80: empty after 0s$/)
  })

  it('does not end while persistence templates are left', async () => {
    const templates = answerOf([connections({ persistent: 1 })], { persistence: 300 })
    const { done, out } = await waiting([templates, EMPTY])
    assert.equal((await done).outcome, 'empty')
    assert.match(out(), /web is persistent: clients that used this server within 300 s return to it/)
  })

  it('waits while the weight goes down, although nobody is connected', async () => {
    let asked = 0
    const { socket } = await drainDaemon([], {
      connections: { read: async () => (++asked < 4 ? answerOf([connections({ weight: 3 })]) : EMPTY) },
    })
    const { context } = testContext()
    const outcome = await waitForDrain({
      context,
      socket,
      targets: TARGETS,
      wait: 20_000,
      isQuiet: true,
      every: 5,
    })
    assert.equal(outcome.outcome, 'empty')
    assert.equal(asked, 4)
  })

  it('prints what is left at the end of its time', async () => {
    const { done } = await waiting([BUSY], { wait: 30 })
    const outcome = await done
    assert.equal(outcome.outcome, 'left')
    assert.deepEqual(outcomeLines(outcome, 'lvsd undrain web/::3'), [
      'web/[fd00::3]:80: not empty after 0s: 12 active, 40 inactive',
      'The drain stays in force; end it with: lvsd undrain web/::3',
    ])
  })

  it('ends when somebody else ends the drain', async () => {
    const { done } = await waiting([BUSY, answerOf([connections({ weight: 5, override: null, active: 9 })])])
    const outcome = await done
    assert.equal(outcome.outcome, 'left')
    assert.deepEqual(outcomeLines(outcome, 'lvsd undrain web/::3'), [
      'web/[fd00::3]:80: no longer drained, weight 5',
    ])
  })

  it('counts a server that the kernel does not have as empty, and reports it', async () => {
    const { done } = await waiting([answerOf([connections({ weight: null })])])
    const outcome = await done
    assert.equal(outcome.outcome, 'empty')
    assert.match(outcomeLines(outcome, '').join(), /not in the kernel's table/)
  })

  it('ends at a signal, with the drain in force', async () => {
    const { done, send, out } = await waiting([BUSY])
    await until(() => out() !== '')
    send('SIGINT')
    const outcome = await done
    assert.equal(outcome.outcome, 'interrupted')
    assert.match(
      outcomeLines(outcome, 'lvsd undrain web/::3').join('\n'),
      /Interrupted .*\n.*\nThe drain stays/,
    )
  })

  it('continues when the daemon starts again', async () => {
    const { done, out, server, socket, control } = await waiting([BUSY, EMPTY, EMPTY], { every: 30 })
    await until(() => out() !== '')
    await server.close()
    const again = await openControlSocket(socket, control)
    onCleanup(() => again.close())
    assert.equal((await done).outcome, 'empty')
  })

  it('reports that the daemon does not answer at the end of the wait', async () => {
    const { done, out, server } = await waiting([BUSY], { wait: 300 })
    await until(() => out() !== '')
    await server.close()
    const outcome = await done
    assert.equal(outcome.outcome, 'lost')
    assert.match(outcome.trouble ?? '', /lvsd does not run here/)
  })

  it('reports a target that a reload has removed', async () => {
    const gone = answerOf([], {}, { trouble: 'there is no service "web"', services: [] })
    const { done, out, send } = await waiting([BUSY, gone], {
      screen: { isTerminal: true, width: 80, height: 24 },
    })
    await until(() => out().includes('no service "web"'))
    send('SIGINT')
    assert.match((await done).trouble ?? '', /no service "web"/)
  })

  it('draws in place on a terminal', async () => {
    const { done, out } = await waiting([BUSY, EMPTY], {
      screen: { isTerminal: true, width: 80, height: 24 },
    })
    await done
    const [first = '', second = ''] = out().split('\u001b[3A')
    assert.match(first, /draining {8}0 {6}12 {5}40 {8}0 {2}web\/\[fd00::3\]:80/)
    assert.match(second, /^\rSTATE.*\n|empty/)
  })
})

describe('drain-wait: lvsd drain', () => {
  const options = {
    socket: undefined,
    yes: false,
    only: false,
    local: false,
    json: false,
    for: undefined,
    until: undefined,
    reason: 'disk swap',
    wait: undefined,
    ramp: undefined,
    // biome-ignore lint/suspicious/noThenProperty: the name of the option
    then: undefined,
  } as const
  const args = { TARGET: 'web/::3' }

  it('gives the override and waits', async () => {
    const { socket, given } = await drainDaemon([EMPTY])
    const { context, out } = testContext()
    const code = await drain.run({ ...context, options: { ...options, socket, wait: '5m' }, arguments: args })
    assert.equal(code, EXIT.ok)
    assert.deepEqual(
      given.map(({ effect, reason }) => [effect.kind, reason]),
      [['drain', 'disk swap']],
    )
    assert.match(out(), /drain, by anna: disk swap\n.*no connections\nweb\/\[fd00::3\]:80: empty after 0s\n$/)
  })

  it('disables what is empty, and not what is left', async () => {
    const rows = [
      [EMPTY, EXIT.ok, ['drain', 'disable']],
      [BUSY, EXIT.problem, ['drain']],
    ] as const
    for (const [answer, exit, effects] of rows) {
      const { socket, given } = await drainDaemon([answer])
      const { context } = testContext()
      // biome-ignore lint/suspicious/noThenProperty: the name of the option
      const chosen = { ...options, socket, wait: '50ms', then: 'disable' } as const
      assert.equal(await drain.run({ ...context, options: chosen, arguments: args }), exit)
      assert.deepEqual(
        given.map(({ effect }) => effect.kind),
        effects,
      )
    }
  })

  it('gives one JSON document', async () => {
    const { socket } = await drainDaemon([BUSY])
    const { context, out } = testContext()
    const chosen = { ...options, socket, wait: '50ms', json: true }
    assert.equal(await drain.run({ ...context, options: chosen, arguments: args }), EXIT.problem)
    const { schema, ok, wait, then } = JSON.parse(out())
    assert.deepEqual([schema, ok, wait.outcome, wait.reals[0].active, then], [1, true, 'left', 12, null])
  })

  for (const [wrong, text] of [
    [{ wait: 'soon' }, /--wait takes a duration/],
    [{ ramp: '10ms' }, /--ramp takes a duration from 1s to 1d/],
    // biome-ignore lint/suspicious/noThenProperty: the name of the option
    [{ then: 'disable' }, /--then needs --wait/],
  ] as const)
    it(`refuses ${JSON.stringify(wrong)}`, async () => {
      const { context } = testContext()
      await assert.rejects(
        async () => drain.run({ ...context, options: { ...options, ...wrong }, arguments: args }),
        text,
      )
    })
})
