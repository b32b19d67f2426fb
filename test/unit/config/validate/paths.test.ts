import assert from 'node:assert/strict'
import { loadConfig } from '../../../../src/config/load.js'
import type { Config } from '../../../../src/core/model.js'
import { DEFAULT_MARKS } from '../../../../src/core/service-path.js'
import { configOf } from '../../../support/config/config-of.js'

async function pathsIn(text: string): Promise<Record<string, readonly string[]>> {
  const { services }: Config = await configOf(text)
  return Object.fromEntries(
    services.map(({ name, reals }) => [
      name,
      reals.flatMap(({ checks }) => checks.map(({ kind, path = 'real' }) => `${kind} ${path}`)),
    ]),
  )
}

describe('config: which way checks go', () => {
  it('is that of the check, else of the service, else of defaults, else to the real server', async () => {
    const head = (n: number) => `virtual: '[2001:db8::${n}]:80', reals: ['[2001:db8:1::11]:80']`
    assert.deepEqual(
      await pathsIn(`
defaults: { path: service, check: http }
services:
  as-defaults: { ${head(1)} }
  other: { ${head(2)}, path: real }
  check: { ${head(3)}, path: real, check: { path: service } }
  mixed: { ${head(4)}, checks: [http, { kind: ping, path: real }] }
  sends-nothing: { ${head(5)}, check: on }
`),
      {
        'as-defaults': ['http service'],
        other: ['http real'],
        check: ['http service'],
        mixed: ['http service', 'ping real'],
        'sends-nothing': ['on real'],
      },
    )
    assert.deepEqual(await pathsIn(`services: { plain: { ${head(1)}, check: http } }`), {
      plain: ['http real'],
    })
    assert.deepEqual(
      await pathsIn(`
defaults: { check: { path: service } }
services: { inherited: { ${head(1)}, check: connect } }
`),
      { inherited: ['connect service'] },
    )
  })

  it('may be that of the service for kinds that are code on connections of lvsd, and for no others', async () => {
    const kinds = {
      https: {},
      tls: {},
      ldaps: { redirects: undefined },
      smtp: { starttls: true },
      imaps: {},
      mysql: { login: 'a', passwd: 'b' },
      dns: { request: 'example.org' },
      http: { receive: '(a|b)*c(a|b)*c(a|b){30}' },
      ftp: {},
    }
    for (const [kind, options] of Object.entries(kinds)) {
      const check = JSON.stringify({ kind, ...options })
      const text = `services: { web: { virtual: '[2001:db8::1]:443', path: service, check: ${check}, reals: ['[2001:db8:1::11]:443'] } }`
      assert.deepEqual(await pathsIn(text), { web: [`${kind} service`] })
    }
    const refused = { external: {}, oracle: { login: 'a' }, https: { redirects: 1 }, ftp: { text: 'a' } }
    for (const [kind, options] of Object.entries(refused)) {
      const check = JSON.stringify({ kind, ...options })
      const text = `services: { web: { virtual: '[2001:db8::1]:443', path: service, check: ${check}, reals: ['[2001:db8:1::11]:443'] } }`
      await assert.rejects(configOf(text), /CHECK_PATH/, kind)
    }
  })

  it('names the option that is in the way', async () => {
    const one = (check: string) =>
      configOf(
        `services: { web: { virtual: '[2001:db8::1]:443', path: service, check: ${check}, reals: ['[2001:db8:1::11]:443'] } }`,
      )
    const why =
      /the path of the service: (\w+) needs a further connection, which may lead elsewhere; write path: real/
    await assert.rejects(
      one('{ kind: https, redirects: 1 }'),
      error => why.exec(`${error}`)?.[1] === 'redirects',
    )
    await assert.rejects(one('{ kind: ftp, receive: a }'), error => why.exec(`${error}`)?.[1] === 'receive')
    await assert.rejects(one('{ kind: ftp, text: a }'), error => why.exec(`${error}`)?.[1] === 'text')
  })

  it('is no way for a sentinel, also of defaults, nor one with an early time limit', async () => {
    const problems = async (defaults: string, check: string) => {
      const text = `${defaults}
services: { web: { virtual: '[2001:db8::1]:80', path: service, check: ${check}, reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80'] } }`
      return (await loadConfig('site.yaml', { text })).problems.map(
        ({ severity, code, message, at: { line, length } }) => [severity, code, line, length, message],
      )
    }
    const sentinel =
      "sentinel watches the real server's own address, so a check with path: service cannot have it; remove it or write path: real"
    const early = 'early-timeout has no effect on a check with path: service: remove it or write path: real'
    const error = ['error', 'CHECK_PATH', 1, 8, sentinel]
    assert.deepEqual(await problems('defaults: { check: { sentinel: true } }', 'connect'), [error])
    assert.deepEqual(await problems('defaults: { check: { early-timeout: true } }', 'connect'), [
      ['warning', 'EARLY_TIMEOUT_IDLE', 1, 13, early],
    ])
    assert.deepEqual(
      await problems('', '{ kind: connect, sentinel: false, early-timeout: false, path: service }'),
      [],
    )
  })

  it('has marks of its own range, or those of the settings', async () => {
    const web = `services: { web: { virtual: '[2001:db8::1]:80', check: http, reals: ['[2001:db8:1::11]:80'] } }`
    assert.equal((await configOf(web)).settings.marks, null)
    assert.deepEqual((await configOf(`settings: { marks: { from: 5 } }\n${web}`)).settings.marks, {
      from: 5,
      count: DEFAULT_MARKS.count,
    })
  })

  it('is warned of where there are fewer marks than real servers, of which all parts of a service have the same', async () => {
    const withMarks = (count: number) => `
settings: { marks: { count: ${count} } }
services:
  web: { virtual: '[2001:db8::1]', ports: [80, 81], path: service, check: http, reals: ['[2001:db8:1::11]', '[2001:db8:1::12]'] }
  other: { virtual: '[2001:db8::2]:80', check: http, reals: ['[2001:db8:1::11]:80'] }
`
    const warnings = async (count: number) =>
      (await loadConfig('site.yaml', { text: withMarks(count) })).problems.map(
        ({ code, message }) => `${code} ${message}`,
      )
    assert.deepEqual(await warnings(2), [])
    assert.deepEqual(await warnings(1), [
      'MARK_RANGE 1 mark for 2 real servers with path: service: the checks of the last ones have no verdict',
    ])
  })
})
