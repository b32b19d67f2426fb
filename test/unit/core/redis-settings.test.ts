import assert from 'node:assert/strict'
import { parseRedisAddress, parseRedisUrl } from '../../../src/core/redis-settings.js'

describe('redis-settings', () => {
  const urls: [string, unknown][] = [
    ['redis://[2001:DB8::1]:6380', { host: '2001:db8::1', port: 6380, database: 0, tls: false }],
    ['redis://[::1]', { host: '::1', port: 6379, database: 0, tls: false }],
    ['rediss://redis.example/3', { host: 'redis.example', port: 6379, database: 3, tls: true }],
    ['redis://192.0.2.1:7/', { host: '192.0.2.1', port: 7, database: 0, tls: false }],
    ['unix:///run/redis/redis.sock', { path: '/run/redis/redis.sock', database: 0, tls: false }],
  ]
  for (const [text, parsed] of urls) it(`reads ${text}`, () => assert.deepEqual(parseRedisUrl(text), parsed))

  const wrong: [string, RegExp][] = [
    ['redis://lvsd:secret@[::1]', /keys username and password/],
    ['http://[::1]', /expected a URL such as/],
    ['redis://[::1', /not an address/],
    ['redis://[::1]:0', /not an address/],
    ['redis://[::1]:99999', /not an address/],
    ['redis://[::1]/x', /number of a database/],
    ['redis://', /not an address/],
    ['[::1]:6379', /expected a URL/],
  ]
  for (const [text, expected] of wrong)
    it(`refuses ${text}`, () => {
      const message = parseRedisUrl(text)
      assert.equal(typeof message, 'string')
      assert.match(String(message), expected)
      assert.doesNotMatch(String(message), /secret/)
    })

  it('reads addresses with a default port', () => {
    assert.deepEqual(parseRedisAddress('[::1]', 26_379), { host: '::1', port: 26_379 })
    assert.deepEqual(parseRedisAddress('::1', 1), { host: '::1', port: 1 })
    assert.equal(parseRedisAddress('a b', 1), null)
  })
})
