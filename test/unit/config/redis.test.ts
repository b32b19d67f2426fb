/** The keys of `cluster.redis`. */
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { temporaryFolder } from '../../support/folder.js'

async function load(redis: string) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'pw'), 'open sesame\n')
  chmodSync(join(folder, 'pw'), 0o600)
  const file = join(folder, 'site.yaml')
  const service =
    "services:\n  web: { virtual: '[2001:db8::80]:80', check: on, reals: ['[2001:db8::1]:80'] }\n"
  writeFileSync(file, `cluster:\n  site: berlin\n  redis: ${redis}\n${service}`)
  return { folder, ...(await loadConfig(file)) }
}

async function redisOf(redis: string) {
  const { config, problems, folder } = await load(redis)
  assert.deepEqual(problems, [])
  return { redis: config?.cluster?.redis, folder }
}

const NOTHING = {
  url: null,
  sentinels: null,
  cluster: null,
  tls: null,
  username: null,
  password: null,
  prefix: 'lvsd',
}

describe('cluster.redis', () => {
  it('takes a URL alone', async () => {
    const url = { host: '2001:db8::1', port: 6379, database: 0, tls: false }
    assert.deepEqual((await redisOf("'redis://[2001:db8::1]'")).redis, { ...NOTHING, url })
  })

  it('takes sentinels, a login from a file, and files for TLS', async () => {
    const sentinels = "sentinels: { name: main, addresses: ['[2001:db8::1]', 's2.example:7'] }"
    const { redis, folder } = await redisOf(
      `{ ${sentinels}, username: lvsd, password: { file: pw }, tls: { ca: ca.crt }, prefix: shop }`,
    )
    assert.deepEqual(redis, {
      ...NOTHING,
      sentinels: {
        name: 'main',
        addresses: [
          { host: '2001:db8::1', port: 26_379 },
          { host: 's2.example', port: 7 },
        ],
        username: null,
        password: null,
      },
      tls: { ca: join(folder, 'ca.crt'), cert: null, key: null, servername: null },
      username: 'lvsd',
      password: 'open sesame',
      prefix: 'shop',
    })
  })

  it('takes the nodes of a cluster', async () => {
    const { redis } = await redisOf("{ cluster: ['[2001:db8::1]:7000'], tls: {} }")
    assert.deepEqual(redis?.cluster, [{ host: '2001:db8::1', port: 7000 }])
    assert.deepEqual(redis?.tls, { ca: null, cert: null, key: null, servername: null })
  })

  it('shows no password in a problem', async () => {
    for (const text of [
      '{ url: redis://redis.example, password: geheim, usernam: x }',
      'redis://lvsd:geheim@redis.example',
      '{ url: redis://redis.example, pasword: geheim }',
      "{ sentinels: { name: a, addresses: ['[::1]'], password: [geheim] }, x: 1 }",
    ]) {
      const shown = renderProblems(await load(text))
      assert.notEqual(shown, '')
      assert.doesNotMatch(shown, /geheim/, text)
    }
  })

  it('says which file of a password is missing', async () => {
    const { config, problems } = await load('{ url: redis://redis.example, password: { file: none } }')
    assert.equal(config, null)
    assert.match(problems[0]?.message ?? '', /cannot be read from .*none/)
  })
})
