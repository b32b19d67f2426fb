import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Answer, Check, RunContext } from '../../../src/check/check.js'
import { type OnDone, resultOf, runOnce } from '../../../src/check/run.js'
import { runCheck } from '../../../src/check/run-code.js'
import type { Phase } from '../../../src/core/model.js'
import { targetOf } from '../../support/probe.js'
import { refusedPort, silentServer } from '../../support/servers.js'

/** Runs `run` as the check `own` against port 9 of `::1`. */
function run(code: (context: RunContext, port: number) => unknown, { timeout = 1000, port = 9 } = {}) {
  const check = {
    name: 'own',
    run: (target, _options, context) => code(context, target.port) as Promise<Answer>,
  } as Pick<Check, 'name' | 'run'> as Check
  return runCheck({ check, target: targetOf(port), options: {} }, timeout)
}

const never = () => assert.fail('it has no deadline')

describe('run-code: a run of a check that is code', () => {
  it('returns its result with its duration', async () => {
    const result = await run(async () => ({ ok: true, reason: null, detail: 'fine' }))
    assert.deepEqual([result.ok, result.reason, result.detail], [true, null, 'fine'])
    assert.ok(result.ms >= 0 && result.ms < 1000)
  })

  it('has no phase that is longer than its duration', () => {
    const phases = [{ phase: 'connect' as const, ms: 17 }]
    const run = {
      phase: 'connect' as const,
      phases,
      wakeAt: 0,
      wake: () => {},
      expire: never,
      cancel: () => {},
    }
    const answer = { ok: true, reason: null, detail: 'fine' } as const
    for (const [ms, phase] of [
      [16, 16],
      [18, 17],
    ] as const)
      assert.deepEqual(resultOf(answer, run, ms), {
        ...answer,
        phase: 'connect',
        ms,
        phases: [{ phase: 'connect', ms: phase }],
      })
  })

  it('has no negative duration, however long it was held up', async () => {
    const answer = { ok: true, reason: null, detail: 'fine' } as const
    const result = await runOnce(
      (_work: null, _timeout: number, done: OnDone) => {
        setTimeout(() => done(answer), 1)
        const run = { phase: null, phases: [], wakeAt: Number.POSITIVE_INFINITY, heldUp: 1e6 }
        return { ...run, wake: () => {}, expire: never, cancel: () => {} }
      },
      null,
      1000,
    )
    assert.equal(result.ms, 0)
  })

  it('names the phase in which it reached its deadline', async () => {
    const result = await run(
      async ({ phase, signal }) => {
        phase('connect')
        phase('handshake')
        await once(signal, 'abort')
        throw signal.reason
      },
      { timeout: 30 },
    )
    assert.deepEqual([result.reason, result.phase], ['timeout', 'handshake'])
    assert.equal(result.detail, 'the TLS handshake was not complete within 30 ms')
    assert.deepEqual(
      result.phases.map(({ phase }) => phase),
      ['connect', 'handshake'],
    )
  })

  it('names a phase of the check by its own name', async () => {
    for (const word of ['think', 'constructor', 'Step 2']) {
      const { detail, phase } = await run(
        ({ phase: enter }) => {
          enter(word as Phase)
          return new Promise(() => {})
        },
        { timeout: 30 },
      )
      assert.deepEqual([detail, phase], [`"${word}" was not complete within 30 ms`, word])
    }
  })

  it('refuses the name of a phase that is not a few words', async () => {
    for (const word of [undefined, 5, {}, '', 'x'.repeat(40), 'a\u001b[2J']) {
      const { detail } = await run(
        ({ phase: enter }) => {
          enter(word as Phase)
          return new Promise(() => {})
        },
        { timeout: 30 },
      )
      assert.equal(detail, 'no result within 30 ms')
    }
  })

  it('may have a reason of its own, of one word', async () => {
    const reasonOf = async (reason: unknown) =>
      (await run(async () => ({ ok: false, reason, detail: 'x' }))).reason
    assert.equal(await reasonOf('not-green'), 'not-green')
    for (const reason of ['Not green', 'x'.repeat(40), 'a\nb', ''])
      assert.equal(await reasonOf(reason), 'error')
    const { detail } = await run(async () => ({ ok: false, reason: 'Not green', detail: 'x' }))
    assert.match(detail, /; `reason` is one word of lower-case letters, digits and hyphens$/)
    assert.equal((await run(async () => ({ ok: null, reason: 'busy', detail: 'x' }))).reason, 'no-verdict')
  })

  it('has no verdict only with ok: null', async () => {
    const answer = async (ok: unknown) => run(async () => ({ ok, reason: 'no-verdict', detail: 'x' }))
    assert.deepEqual([(await answer(null)).ok, (await answer(null)).reason], [null, 'no-verdict'])
    const { ok, reason, detail } = await answer(false)
    assert.deepEqual([ok, reason], [false, 'error'])
    assert.match(
      detail,
      /must return \{ ok, reason, detail \}, not .*; a run without a verdict has `ok: null`$/,
    )
  })

  it('ends at its deadline even if it ignores its signal', async () => {
    let late = () => {}
    const result = await run(
      () =>
        new Promise(resolve => {
          late = () => resolve({ ok: true, reason: null, detail: 'too late' })
        }),
      { timeout: 30 },
    )
    assert.equal(result.reason, 'timeout')
    late()
  })

  it('leaves no unhandled rejection behind when it fails after its deadline', async () => {
    let fail = () => {}
    const result = await run(
      () =>
        new Promise((_, reject) => {
          fail = () => reject(new Error('too late'))
        }),
      { timeout: 30 },
    )
    assert.equal(result.reason, 'timeout')
    fail()
    await new Promise(resolve => setImmediate(resolve))
  })

  it('converts an exception into a reason', async () => {
    const port = await refusedPort()
    const result = await run(
      async (_, to) => {
        const socket = connect({ host: '::1', port: to })
        await once(socket, 'connect')
      },
      { port },
    )
    assert.deepEqual([result.ok, result.reason], [false, 'refused'])
  })

  it('is a timeout when the check aborts itself, as a library with its own timer does', async () => {
    const { port } = await silentServer()
    const result = await run(
      async ({ phase }, to) => {
        phase('first byte')
        const socket = connect({ host: '::1', port: to })
        try {
          await once(socket, 'data', { signal: AbortSignal.timeout(20) })
        } finally {
          socket.destroy()
        }
      },
      { port },
    )
    assert.deepEqual([result.reason, result.phase], ['timeout', 'first byte'])
  })

  it('catches an exception before the first await', async () => {
    const result = await run(() => {
      throw new TypeError('options.request is undefined')
    })
    assert.deepEqual([result.reason, result.detail], ['error', 'options.request is undefined'])
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const rubbish: readonly [what: string, answer: unknown][] = [
    ['nothing', undefined],
    ['true', true],
    ['a text', 'up'],
    ['no detail', { ok: true, reason: null }],
    ['up with a reason', { ok: true, reason: 'refused', detail: '' }],
    ['down without a reason', { ok: false, reason: null, detail: '' }],
    ['down without a verdict', { ok: false, reason: 'no-verdict', detail: '' }],
    ['a cycle', cycle],
  ]
  for (const [what, answer] of rubbish)
    it(`is an error when the check returns ${what}`, async () => {
      const result = await run(async () => answer)
      assert.deepEqual([result.ok, result.reason], [false, 'error'])
      assert.match(result.detail, /the check own must return \{ ok, reason, detail \}/)
    })

  it('is an error if a check has no code for its options', async () => {
    const check = { name: 'data' } as Check
    const result = await runCheck({ check, target: targetOf(9), options: {} }, 100)
    assert.equal(result.reason, 'error')
  })

  it('aborts nothing that has ended in time', async () => {
    let signal: AbortSignal | undefined
    await run(async context => {
      signal = context.signal
      return { ok: true, reason: null, detail: '' }
    })
    assert.equal(signal?.aborted, false)
  })
})
