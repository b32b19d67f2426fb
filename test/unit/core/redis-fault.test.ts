import assert from 'node:assert/strict'
import { faultOf, isOfOneCommand, type RedisReason } from '../../../src/core/redis-fault.js'

const error = (message: string, code?: string) => Object.assign(new Error(message), code && { code })

describe('redis-fault', () => {
  const rows: [string, unknown, RedisReason, RegExp][] = [
    ['a refused connection', error('connect ECONNREFUSED ::1:1', 'ECONNREFUSED'), 'refused', /accepts conn/],
    ['a missing socket file', error('connect ENOENT /x', 'ENOENT'), 'refused', /\/x/],
    ['a host without a route', error('connect EHOSTUNREACH', 'EHOSTUNREACH'), 'unreachable', /reached/],
    ['an unknown name', error('getaddrinfo ENOTFOUND r', 'ENOTFOUND'), 'name', /resolve/],
    ['a time limit', error('connect ETIMEDOUT', 'ETIMEDOUT'), 'silent', /^it does not answer in time$/],
    ['a command without an answer', error('Command timed out'), 'silent', /in time/],
    ['a closed connection', error('Connection is closed.'), 'closed', /^it closed the connection$/],
    ['a password that is wanted', error('NOAUTH Authentication required.'), 'NOAUTH', /wants a password/],
    ['a wrong password', error('WRONGPASS invalid username-password pair'), 'WRONGPASS', /does not accept/],
    ['protected mode', error('DENIED Redis is running in protected mode because'), 'NOAUTH', /protected/],
    ['a replica', error("READONLY You can't write against a read only replica."), 'READONLY', /replica/],
    ['a start', error('LOADING Redis is loading the dataset in memory'), 'LOADING', /still loads/],
    ['a full memory', error('OOM command not allowed'), 'OOM', /memory is full/],
    ['a broken cluster', error('CLUSTERDOWN Hash slot not served'), 'CLUSTERDOWN', /cluster/],
    ['a missing permission', error('NOPERM User lvsd has no permissions'), 'NOPERM', /permission \(EVAL\)/],
    [
      'keys of another prefix',
      error('NOPERM this user has no permissions to access one of the keys used as arguments'),
      'NOPERM',
      /arguments\. Its ACL has other keys .*"prefix" and "site"/,
    ],
    [
      'channels of another prefix',
      error('NOPERM No permissions to access a channel'),
      'NOPERM',
      /channel\. Its ACL has other/,
    ],
    ['another type', error('WRONGTYPE Operation against a key'), 'WRONGTYPE', /another type.*\(EVAL\)/],
    [
      'another type within a script',
      error(
        'WRONGTYPE Operation against a key holding the wrong kind of value script: 1, on @user_script:1.',
      ),
      'WRONGTYPE',
      /another type/,
    ],
    [
      'a full memory within a script',
      error(
        'ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed when used memory',
      ),
      'OOM',
      /memory/,
    ],
    ['a certificate', error('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate', /self/],
    ['the name in a certificate', error('Host', 'ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate', /Host/],
    ['a server without TLS', error('wrong version number', 'ERR_SSL_WRONG_VERSION_NUMBER'), 'tls', /TLS/],
    ['sentinels', error('All sentinels are unreachable and retry is disabled.'), 'sentinels', /sentinel/],
    [
      'nodes, with the last error of one',
      Object.assign(new Error('Failed to refresh slots cache.'), {
        lastNodeError: error('connect ECONNREFUSED', 'ECONNREFUSED'),
      }),
      'refused',
      /accepts/,
    ],
    [
      'several addresses of a name',
      new AggregateError([error('a'), error('connect ECONNREFUSED', 'ECONNREFUSED')]),
      'refused',
      /accepts/,
    ],
    ['anything else', error('ERR unknown command'), 'error', /unknown command/],
    ['no error at all', undefined, 'error', /error/],
  ]
  for (const [phrase, given, reason, detail] of rows)
    it(`recognises ${phrase}`, () => {
      const found = faultOf(given, 'EVAL')
      assert.equal(found.reason, reason)
      assert.match(found.detail, detail)
      assert.doesNotMatch(found.detail, /\n/)
    })

  it('tells what concerns one command from what concerns all', () => {
    assert.deepEqual((['NOPERM', 'WRONGTYPE', 'OOM', 'READONLY', 'silent'] as const).map(isOfOneCommand), [
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('makes one line of a long answer', () => {
    assert.ok(faultOf(error(`ERR ${'x\n'.repeat(1000)}`)).detail.length < 300)
  })
})
