import assert from 'node:assert/strict'
import { changesText, configChanges, countingChanges, removedText } from '../../../src/core/config-changes.js'
import type { Config } from '../../../src/core/model.js'
import { config, real, service, serviceId, use } from '../../support/tables.js'

const A = 'fd00:1::a'
const B = 'fd00:1::b'
const web = (...reals: ReturnType<typeof real>[]) => service('web', { reals })
const mail = (count: number) =>
  service('mail', {
    id: serviceId('2001:db8::25', 25),
    reals: Array.from({ length: count }, (_, i) => real(`fd00:2::${i + 1}`)),
  })

describe('config-changes: what a new configuration changes', () => {
  const cases: [string, Parameters<typeof configChanges>[0], Parameters<typeof configChanges>[0], string][] =
    [
      ['nothing', config([web(real(A))]), config([web(real(A))]), 'no service has changed'],
      [
        'a new server',
        config([web(real(A))]),
        config([web(real(A), real(B))]),
        'real servers +1 ~0 -0: web: +[fd00:1::b]:80',
      ],
      [
        'a weight',
        config([web(real(A))]),
        config([web(real(A, { weight: 9 }))]),
        'real servers +0 ~1 -0: web: ~[fd00:1::a]:80',
      ],
      [
        'a check',
        config([web(real(A))]),
        config([web(real(A, { checks: [use('off')] }))]),
        'real servers +0 ~1 -0: web: ~[fd00:1::a]:80',
      ],
      [
        'a service with its servers',
        config([web(real(A)), mail(5)]),
        config([web(real(A))]),
        'services +0 ~0 -1, real servers +0 ~0 -5: -mail',
      ],
      [
        'the name of a service',
        config([web(real(A))]),
        config([{ ...web(real(A)), name: 'www' }]),
        'services +0 ~1 -0, real servers +0 ~0 -0: ~www',
      ],
      [
        'all servers of a service, others of another one, which is changed itself, and a new service',
        config([web(real(A), real(B)), mail(2)]),
        config([
          web(real(A, { weight: 2 }), real(B, { weight: 2 })),
          { ...mail(1), label: 'post', reals: [real('fd00:2::1'), real('fd00:2::9')] },
          service('dns', { id: serviceId('2001:db8::53', 53), reals: [real(A)] }),
        ]),
        'services +1 ~1 -0, real servers +2 ~2 -1: ~mail: +[fd00:2::9]:80, -[fd00:2::2]:80; +dns; web: ~all 2',
      ],
      [
        'one server of two',
        config([web(real(A), real(B))]),
        config([web(real(A, { weight: 2 }))]),
        'real servers +0 ~1 -1: web: ~[fd00:1::a]:80, -[fd00:1::b]:80',
      ],
      [
        'many servers',
        config([mail(20)]),
        config([mail(1)]),
        'real servers +0 ~0 -19: mail: -[fd00:2::2]:80, -[fd00:2::3]:80, -[fd00:2::4]:80, -[fd00:2::5]:80, -[fd00:2::6]:80, 14 more servers',
      ],
      [
        'many services',
        config([]),
        config(
          Array.from({ length: 8 }, (_, i) => service(`s${i}`, { id: serviceId(`2001:db8::${i + 1}`) })),
        ),
        'services +8 ~0 -0, real servers +0 ~0 -0: +s0; +s1; +s2; +s3; +s4; 3 more services',
      ],
      [
        'settings',
        config([web(real(A))]),
        {
          ...config([web(real(A))], { removalLimit: 10, resync: 5 }),
          sysctls: { 'net.ipv4.vs.x': '1' },
          cluster: { site: 'berlin' } as Config['cluster'] & {},
        },
        'no service has changed; changed: cluster, removal-limit, resync, sysctls',
      ],
    ]
  for (const [what, before, after, expected] of cases)
    it(what, () => assert.equal(changesText(configChanges(before, after)), expected))
})

describe('config-changes: thousands of servers', () => {
  it('are counted at most 32 at a step', () => {
    const before = config([mail(3200)])
    const after = config([{ ...mail(3200), label: 'other' }])
    let steps = 0
    for (const work = countingChanges(before, after); !work.next().done; ) steps++
    // Listed of both, compared, and looked for again.
    assert.equal(steps, 400)
  })
})

describe('config-changes: the servers that a configuration no longer has', () => {
  it('are named by service', () => {
    const before = config([web(real(A), real(B)), mail(4)])
    assert.equal(removedText(before, config([web(real(A))])), `web: [${B}]:80; mail: all 4`)
  })

  it('are named up to a number of them', () => {
    const text = removedText(config([mail(20)]), config([mail(1)]))
    assert.match(text, /^mail: \[fd00:2::2\]:80, .*, 14 more servers$/)
  })
})
