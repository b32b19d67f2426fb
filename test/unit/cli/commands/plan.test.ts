import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command, overridesText } from '../../../../src/cli/commands/plan.js'
import { keyOfService, type ResolvedReal, type ResolvedService } from '../../../../src/core/model.js'
import type { Override } from '../../../../src/core/override.js'
import { planned } from '../../../../src/director/planned.js'
import type { Doubt, Doubts } from '../../../../src/names/unresolved-names.js'
import { testContext } from '../../../support/context.js'
import { temporaryFile } from '../../../support/folder.js'
import {
  config,
  named,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
} from '../../../support/tables.js'

const SITE = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    reals: ['[2001:db8:1::11]:80 masq 2', '[2001:db8:1::12]:80']
    fallback: '[2001:db8:1::99]:80'
  mail:
    fwmark: 1
    family: ipv6
    quiescent: true
    check: { kind: connect, checkport: 25 }
    reals: ['[2001:db8:1::31]:0 gate']
`

describe('lvsd plan', () => {
  const rows: [assume: 'up' | 'down' | 'kernel', text: string][] = [
    [
      'up',
      `
+ tcp [2001:db8::80]:80  (web)  wlc
+     [2001:db8:1::11]:80  masq  weight 2
+     [2001:db8:1::12]:80  masq  weight 1

+ fwmark 1 ipv6  (mail)  wlc
+     [2001:db8:1::31]:0  gate  weight 1

5 to add, 0 to change, 0 to remove.
`,
    ],
    [
      'down',
      `
+ tcp [2001:db8::80]:80  (web)  wlc
+     [2001:db8:1::99]:80  masq  weight 1

+ fwmark 1 ipv6  (mail)  wlc
+     [2001:db8:1::31]:0  gate  weight 0

4 to add, 0 to change, 0 to remove.
`,
    ],
    [
      'kernel',
      `
+ tcp [2001:db8::80]:80  (web)  wlc

+ fwmark 1 ipv6  (mail)  wlc

2 to add, 0 to change, 0 to remove.
`,
    ],
  ]
  for (const [assume, text] of rows)
    it(`shows the whole table for an empty kernel, servers assumed as ${assume}`, async () => {
      const { context, out } = testContext()
      const options = { assume, kernel: 'memory', json: false } as const
      const CONFIG = temporaryFile('site.yaml', SITE)
      assert.equal(await command.run({ ...context, options, arguments: { CONFIG } }), EXIT.ok)
      assert.equal(out(), text.trimStart())
    })

  it('has overrides in it, and lists them', () => {
    const [one, two, three] = ['fd00::1', 'fd00::2', 'fd00::3'].map(host => real(host, { weight: 5 }))
    const site = config([service('web', { reals: [one, two, three] as ResolvedReal[] })])
    const given = { source: 'command', who: 'anna', reason: 'disk swap', since: 0, until: null } as const
    const overrides = new Map<ResolvedReal, Override>([
      [one as ResolvedReal, { ...given, effect: { kind: 'drain', ramp: { since: 1000, ms: 10_000 } } }],
      [two as ResolvedReal, { ...given, reason: '', effect: { kind: 'disable' } }],
    ])
    const changes = planned(site, () => 'up', { actual: new Map(), owned: new Set(), overrides, now: 5000 })
    assert.deepEqual(
      changes.flatMap(change => (change.op === 'add-real' ? [change.real.weight] : [])),
      [3, 5],
    )
    assert.equal(
      overridesText(site, overrides),
      `2 overrides in this plan:
  web/[fd00::1]:80  drain over 10s by anna: disk swap
  web/[fd00::2]:80  disable by anna`,
    )
  })

  it('keeps what may belong to a name that does not resolve', () => {
    const byName = (name: string, port: number) => service(name, named(name, null, port))
    const [vip, gone] = [byName('vip', 80), byName('gone', 443)]
    const web = service('web', {
      id: serviceId('2001:db8::80', 25),
      reals: [real('app'), real('lost', { port: 99 })],
    })
    const [app] = web.reals as [ResolvedReal]
    const held = table(
      tableService(serviceId('2001:db8::80'), [tableReal('fd00::1')]),
      tableService(serviceId('2001:db8::80', 443), []),
      tableService(serviceId('2001:db8::80', 25), [
        tableReal('fd00::1'),
        { ...tableReal('fd00::1'), port: 99 },
      ]),
    )
    const before = { actual: held, owned: new Set(held.keys()) }
    const told = (doubts: Doubts) =>
      planned(config([vip, gone, web]), () => 'up', { ...before, doubts }).map(({ op, id }) => [
        op,
        keyOfService(id),
      ])
    assert.deepEqual(
      told(
        new Map<ResolvedService | ResolvedReal, Doubt>([
          [vip, 'unanswered'],
          [app, 'unanswered'],
        ]),
      ),
      [
        ['delete-real', 'tcp [2001:db8::80]:25'],
        ['delete-service', 'tcp [2001:db8::80]:443'],
      ],
    )
    assert.equal(told(new Map()).length, 4)
  })

  it('tells of an included file without anything in it', async () => {
    const file = temporaryFile('site.yaml', `include: more.yaml\n${SITE}`)
    const more = join(dirname(file), 'more.yaml')
    writeFileSync(more, '')
    const { context, err } = testContext()
    const options = { assume: 'up', kernel: 'memory', json: false } as const
    assert.equal(await command.run({ ...context, options, arguments: { CONFIG: file } }), EXIT.ok)
    assert.match(err(), /more\.yaml:1:1 warning EMPTY_INCLUDE {2}the file is empty: it adds nothing/)
  })

  it('prints the changes with their services as JSON', async () => {
    const { context, out } = testContext()
    const options = { assume: 'up', kernel: 'memory', json: true } as const
    await command.run({ ...context, options, arguments: { CONFIG: temporaryFile('site.yaml', SITE) } })
    const { add, changes } = JSON.parse(out())
    assert.equal(add, 5)
    assert.equal(changes[1].service, 'tcp [2001:db8::80]:80')
    assert.equal(changes[1].real.address.text, '2001:db8:1::11')
  })

  it('refuses a broken configuration with its problems', async () => {
    const { context, err } = testContext()
    const options = { assume: 'up', kernel: 'memory', json: false } as const
    const CONFIG = temporaryFile('site.yaml', SITE.replace('fwmark', 'fwmrak'))
    await assert.rejects(
      command.run({ ...context, options, arguments: { CONFIG } }),
      (error: CommandError) => error.exit === EXIT.problem,
    )
    assert.match(err(), /UNKNOWN_KEY.*"fwmark"/)
  })
})
