import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { packagesWith } from '../support/static-imports.js'

/** They read what a server sends, or are large: each is loaded by the run that wants it, in the thread of that run. */
const OF_PROTOCOLS = [
  'dns-packet',
  'got',
  'ioredis',
  'mysql2',
  'nodemailer',
  'oracledb',
  'pg',
  'redis-parser',
]

/** They ask the running lvsd, often at a terminal, and read no configuration. */
const QUICK_COMMANDS = [
  ...['completion', 'disable', 'drain', 'enable', 'events', 'force', 'health', 'recheck'],
  ...['reload', 'role', 'role-notify', 'status', 'top', 'undrain', 'weight', 'why', 'windows'],
]

const kinds = readdirSync(join(packageRoot, 'checks')).filter(name => /^[a-z].*\.ts$/.test(name))

describe('static-imports: libraries of protocols', () => {
  for (const file of [
    'src/cli/program.ts',
    'src/ldirectord-command/main.ts',
    ...kinds.map(name => `checks/${name}`),
  ])
    it(`are not loaded with ${file}`, () => {
      const [reached] = packagesWith(file).filter(({ name }) => OF_PROTOCOLS.includes(name))
      assert.equal(
        reached,
        undefined,
        `${reached?.name} is loaded with ${reached?.way.join(' → ')}: import it within the run that needs it`,
      )
    })

  it('are found by this test if a file imports one', () => {
    const [got] = packagesWith('checks/lib/got.ts').filter(({ name }) => name === 'got')
    assert.deepEqual(got, { name: 'got', way: ['checks/lib/got.ts', 'src/system/got.ts'] })
    assert.deepEqual(
      packagesWith('src/cli/commands/validate.ts')
        .find(({ name }) => name === 'yaml')
        ?.way.at(-1),
      'src/config/yaml/library.ts',
    )
    assert.ok(kinds.includes('redis.ts'))
  })
})

describe('static-imports: a director that starts', () => {
  it('does not load what only a request, a scrape, or the reading of a configuration needs', () => {
    for (const file of ['src/director/compose.ts', 'src/cli/run-director.ts', 'checks/http.ts']) {
      const reached = packagesWith(file)
      for (const name of ['fastify', 'prom-client', 'zod', 'yaml']) {
        const found = reached.find(each => each.name === name)
        assert.equal(found, undefined, `${name} is loaded with ${found?.way.join(' → ')}`)
      }
    }
    assert.ok(packagesWith('src/director/compose.ts').some(({ name }) => name === 'node-cron'))
    assert.ok(packagesWith('src/api/app.ts').some(({ name }) => name === 'fastify'))
    const read = packagesWith('src/config/load.ts').map(({ name }) => name)
    assert.ok(read.includes('zod') && read.includes('yaml'))
  })

  it('has a thread for looking at files that loads neither YAML nor the types of settings', () => {
    const names = packagesWith('src/watch/looking-thread.ts').map(({ name }) => name)
    assert.deepEqual(names, [])
  })
})

describe('static-imports: commands that ask the running lvsd', () => {
  for (const name of QUICK_COMMANDS)
    it(`${name} does not load zod, which takes as long as Node itself to start`, () => {
      const [zod] = packagesWith(`src/cli/commands/${name}.ts`).filter(each => each.name === 'zod')
      assert.equal(zod, undefined, `zod is loaded with ${zod?.way.join(' → ')}`)
    })

  it('an answer to a completing shell, and a plain lvsd health, load no package', () => {
    for (const file of ['src/main.ts', 'src/cli/completion/answer.ts', 'src/cli/health/answer.ts'])
      assert.deepEqual(packagesWith(file), [])
  })
})
