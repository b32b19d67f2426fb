import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FULL_EVERY, REST, TlsSessions } from '../../../checks/lib/tls-sessions.js'

const KEY = 'server'
const ticket = Buffer.from('ticket')

/** One run; the server accepts what is offered. Returns whether the handshake was resumed. */
function run(sessions: TlsSessions, passes = true, key = KEY): boolean {
  const offered = sessions.take(key)
  const isOffered = offered !== undefined
  if (passes) sessions.passed(key, ticket, isOffered, isOffered)
  return isOffered
}

const runs = (sessions: TlsSessions, count: number) => Array.from({ length: count }, () => run(sessions))

describe('tls-sessions: the session for a run', () => {
  it('is that of the run before; every tenth handshake is full', () => {
    const sessions = new TlsSessions()
    const seen = runs(sessions, 2 * FULL_EVERY + 1)
    assert.deepEqual(
      seen.flatMap((isResumed, i) => (isResumed ? [] : [i])),
      [0, FULL_EVERY, 2 * FULL_EVERY],
    )
  })

  it('is given to one run alone', () => {
    const sessions = new TlsSessions()
    run(sessions)
    assert.equal(sessions.take(KEY), ticket)
    assert.equal(sessions.take(KEY), undefined)
  })

  it('is none after a run that did not pass, until some have passed without', () => {
    const sessions = new TlsSessions()
    run(sessions)
    assert.equal(run(sessions, false), true)
    assert.deepEqual(new Set(runs(sessions, REST)), new Set([false]))
    assert.equal(run(sessions), true)
  })

  it('is offered ever more rarely to a server that breaks with it each time', () => {
    const sessions = new TlsSessions()
    let broken = 0
    let since = 0
    const rests: number[] = []
    while (broken < 3) {
      const offered = sessions.take(KEY)
      if (offered) {
        broken++
        rests.push(since)
        since = 0
      } else {
        since++
        sessions.passed(KEY, ticket, false, false)
      }
    }
    assert.deepEqual(rests, [1, REST, 10 * REST])
  })

  it('is offered again as soon as at first, after resumption has worked for a while', () => {
    const sessions = new TlsSessions()
    run(sessions)
    for (let i = 0; i < 3; i++) {
      while (!run(sessions, false)) sessions.passed(KEY, ticket, false, false)
      while (!run(sessions));
      runs(sessions, 2 * FULL_EVERY)
      while (!run(sessions));
      assert.equal(run(sessions, false), true)
      assert.deepEqual(new Set(runs(sessions, REST)), new Set([false]))
      assert.equal(run(sessions), true)
      runs(sessions, 2 * FULL_EVERY)
    }
  })

  it('is none after a full handshake that did not pass', () => {
    const sessions = new TlsSessions()
    run(sessions, false)
    assert.deepEqual(runs(sessions, 2), [false, true])
  })

  it('is offered again after a server did not accept it', () => {
    const sessions = new TlsSessions()
    run(sessions)
    for (let i = 0; i < 2 * FULL_EVERY; i++) {
      assert.notEqual(sessions.take(KEY), undefined)
      sessions.passed(KEY, ticket, true, false)
    }
  })

  it('is that of the same server', () => {
    const sessions = new TlsSessions()
    run(sessions)
    assert.equal(sessions.take('another server'), undefined)
  })

  it('is forgotten for the servers that were asked longest ago, beyond a number', () => {
    const sessions = new TlsSessions(2)
    for (const key of ['a', 'b', 'a', 'c']) run(sessions, true, key)
    assert.deepEqual(
      ['a', 'b', 'c'].map(key => sessions.take(key) !== undefined),
      [true, false, true],
    )
  })

  it('never makes more than nine handshakes in a row without the certificate, and none after a failure', () =>
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), passes => {
        const sessions = new TlsSessions()
        let resumed = 0
        let hasFailed = true
        for (const isPass of passes) {
          const isResumed = run(sessions, isPass)
          assert.ok(!isResumed || !hasFailed)
          resumed = isResumed ? resumed + 1 : 0
          assert.ok(resumed < FULL_EVERY)
          hasFailed = !isPass
        }
      }),
    ))
})
