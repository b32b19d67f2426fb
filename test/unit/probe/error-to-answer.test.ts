import assert from 'node:assert/strict'
import { CannotAsk } from '../../../src/check/check.js'
import { answerFromError, isAbort, timedOut } from '../../../src/check/error-to-answer.js'
import { SystemError } from '../../../src/system/libc.js'

function failure(code: string, over: object = {}): Error {
  return Object.assign(new Error(`connect ${code} ::1:80`), { code, syscall: 'connect' }, over)
}

function named(error: unknown): string {
  const { code, syscall } = (error ?? {}) as { code?: string; syscall?: string }
  return code ? `${code} of ${syscall}` : String(error)
}

describe('error-to-answer: what an error says', () => {
  const cases: readonly [error: unknown, ok: boolean | null, reason: string][] = [
    [failure('ECONNREFUSED'), false, 'refused'],
    [failure('EHOSTUNREACH'), false, 'unreachable'],
    [failure('ENETUNREACH'), false, 'unreachable'],
    [failure('ECONNRESET'), false, 'reset'],
    [failure('EPIPE'), false, 'reset'],
    [failure('ETIMEDOUT'), false, 'timeout'],
    [failure('ENOTFOUND', { syscall: 'getaddrinfo' }), false, 'name'],
    [failure('EAI_AGAIN', { syscall: 'getaddrinfo' }), false, 'name'],
    [failure('EPROTO', { syscall: 'write' }), false, 'tls'],
    [failure('EPROTO'), false, 'unreachable'],
    [failure('ENOPROTOOPT', { syscall: 'recvmsg' }), false, 'unreachable'],
    [failure('ENONET'), false, 'unreachable'],
    [failure('EACCES'), false, 'unreachable'],
    [failure('EACCES', { syscall: 'send' }), false, 'unreachable'],
    [failure('EACCES', { syscall: 'recvmsg' }), false, 'unreachable'],
    [failure('EACCES', { syscall: 'read' }), false, 'unreachable'],
    [failure('EACCES', { syscall: 'socket' }), null, 'no-verdict'],
    [failure('EACCES', { syscall: 'bind' }), null, 'no-verdict'],
    [failure('EPERM', { syscall: 'send' }), null, 'no-verdict'],
    [failure('EPERM', { syscall: 'open' }), false, 'error'],
    [failure('ENODEV'), null, 'no-verdict'],
    [failure('ERR_SSL_WRONG_VERSION_NUMBER'), false, 'tls'],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID'), false, 'tls'],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), false, 'tls'],
    [failure('CERT_HAS_EXPIRED'), false, 'tls'],
    [failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), false, 'tls'],
    [failure('EMFILE'), null, 'no-verdict'],
    [failure('ENFILE'), null, 'no-verdict'],
    [failure('ENOBUFS'), null, 'no-verdict'],
    [failure('ENOSPC', { syscall: 'epoll_ctl' }), null, 'no-verdict'],
    [failure('ENOSPC', { syscall: 'open' }), false, 'error'],
    [failure('EADDRNOTAVAIL'), null, 'no-verdict'],
    [failure('EAFNOSUPPORT'), null, 'no-verdict'],
    [failure('EPERM'), null, 'no-verdict'],
    [failure('EACCES', { syscall: 'spawn /usr/bin/check' }), false, 'error'],
    [failure('ENOENT', { syscall: 'open' }), false, 'error'],
    [failure('EINVAL'), false, 'error'],
    [new TypeError('x is not a function'), false, 'error'],
    ['a thrown text', false, 'error'],
    [null, false, 'error'],
    [undefined, false, 'error'],
  ]

  for (const [error, ok, reason] of cases)
    it(`${named(error)} is ${reason}`, () => {
      const answer = answerFromError(error)
      assert.deepEqual([answer.ok, answer.reason], [ok, reason])
      assert.notEqual(answer.detail, '')
    })

  it('is found in the cause, and in the first of several', () => {
    assert.equal(
      answerFromError(new Error('fetch failed', { cause: failure('ECONNREFUSED') })).reason,
      'refused',
    )
    assert.equal(
      answerFromError(new AggregateError([failure('ECONNREFUSED')], 'all failed')).reason,
      'refused',
    )
  })

  it('is found with its call where a library has copied the code alone', () => {
    const wrapped = (code: string, syscall: string) =>
      Object.assign(new Error('request failed', { cause: failure(code, { syscall }) }), { code })
    assert.deepEqual(
      [wrapped('EACCES', 'connect'), wrapped('EPERM', 'connect'), wrapped('EACCES', 'open')].map(
        error => answerFromError(error).reason,
      ),
      ['unreachable', 'no-verdict', 'error'],
    )
  })

  it('ends where a cause leads back to its error', () => {
    const error = new Error('round') as Error & { cause: unknown }
    error.cause = error
    assert.equal(answerFromError(error).reason, 'error')
  })

  it('is told in one line, with its code', () => {
    const { detail } = answerFromError(
      failure('CERT_HAS_EXPIRED', { message: 'certificate has expired\n  at x' }),
    )
    assert.equal(detail, 'certificate has expired (CERT_HAS_EXPIRED)')
    assert.equal(answerFromError(failure('ECONNREFUSED')).detail, 'connection refused (ECONNREFUSED)')
  })

  it('is told alike of a call of Node and one of epoll', () => {
    const said = [
      failure('EINVAL'),
      failure('EINVAL', { message: 'connect EINVAL' }),
      new SystemError('EINVAL', 'connect'),
    ].map(error => answerFromError(error).detail)
    assert.deepEqual([...new Set(said)], ['connect: EINVAL'])
  })

  it('may be that a wait was given up', () => {
    assert.equal(isAbort(new DOMException('too late', 'TimeoutError')), true)
    assert.equal(isAbort(AbortSignal.abort().reason), true)
    assert.equal(isAbort(failure('ECONNRESET')), false)
    assert.equal(isAbort(null), false)
  })
})

describe('error-to-answer: a timeout', () => {
  it('says for what was waited', () => {
    assert.equal(timedOut('connect', 500).detail, 'no connection within 500 ms')
    assert.equal(timedOut('body', 3000).detail, 'the answer was not complete within 3000 ms')
    assert.equal(timedOut(null, 1).detail, 'no result within 1 ms')
  })
})

describe('error-to-answer: what a check lacks of its own', () => {
  it('is no verdict, whoever has thrown it', () => {
    const error = new CannotAsk('/etc/ca.pem cannot be used: gone')
    for (const thrown of [error, structuredNamed(error)])
      assert.deepEqual(answerFromError(thrown), {
        ok: null,
        reason: 'no-verdict',
        detail: '/etc/ca.pem cannot be used: gone',
      })
  })
})

/** As it comes out of a thread: without its class. */
function structuredNamed({ name, message }: Error): Error {
  return Object.assign(new Error(message), { name })
}
