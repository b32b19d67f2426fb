import assert from 'node:assert/strict'
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

  it('has marks of its own range, or those of the settings', async () => {
    const web = `services: { web: { virtual: '[2001:db8::1]:80', check: http, reals: ['[2001:db8:1::11]:80'] } }`
    assert.equal((await configOf(web)).settings.marks, null)
    assert.deepEqual((await configOf(`settings: { marks: { from: 5 } }\n${web}`)).settings.marks, {
      from: 5,
      count: DEFAULT_MARKS.count,
    })
  })
})
