import assert from 'node:assert/strict'
import { resolveNow } from '../../../src/cli/load-or-exit.js'
import { loadConfig } from '../../../src/config/load.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { testContext } from '../../support/context.js'
import { temporaryFile } from '../../support/folder.js'
import { resolverWith } from '../../support/names/stage.js'

const HOSTS = '127.0.0.9 rs.example\nfd00:1::9 rs.example\n'

const YAML = `
defaults: { check: connect }
services:
  tunnel: { virtual: '192.0.2.80:18190', reals: ['rs.example:18190 ipip'] }
  nat: { virtual: '192.0.2.81:80', reals: ['rs.example:18190 masq'] }
  elsewhere:
    virtual: '192.0.2.82:80'
    check: { kind: connect, checkaddress: rs.example, checkport: 18190 }
    reals: ['127.0.0.9:80 masq']
  six: { virtual: '[2001:db8::80]:18190', reals: ['rs.example:18190 ipip'] }
  six-over-four:
    virtual: '[2001:db8::81]:18190'
    reals: [{ address: 'rs.example:18190', forwarding: ipip, family: ipv4 }]
`

const CF = `
virtual=192.0.2.80:18190
	real=rs.example:18190 ipip
	checktype=connect
	scheduler=wlc
virtual=192.0.2.83:80
	real=127.0.0.9:80 masq 1 "http://rs.example:18190/health", "ok"
	service=http
	checktype=negotiate
	scheduler=wlc
`

describe('dual-stack: a name with an address of each family', () => {
  const cases: [string, string, readonly string[]][] = [
    ['site.yaml', YAML, ['127.0.0.9', '127.0.0.9', '127.0.0.9', 'fd00:1::9', '127.0.0.9']],
    ['ldirectord.cf', CF, ['127.0.0.9', '127.0.0.9']],
  ]
  for (const [name, text, expected] of cases)
    it(`is checked in the family of its service, tunnels too, in ${name}`, async () => {
      const { config, checks, problems } = await loadConfig(temporaryFile(name, text))
      assert.ok(config, JSON.stringify(problems))
      const { resolver } = resolverWith({ hosts: HOSTS, nsswitch: 'hosts: files' })
      const { context, err } = testContext()
      const { config: resolved } = await resolveNow(config, new Map(), context, resolver)
      const targets = jobsOf(resolved, checks).subscribers.map(({ target }) => target)
      assert.deepEqual(
        targets.map(({ address }) => address.text),
        expected,
      )
      assert.deepEqual([...new Set(targets.map(({ port }) => port))], [18190])
      assert.equal(err(), '')
    })
})
