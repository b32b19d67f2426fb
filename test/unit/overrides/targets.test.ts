import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Named, type Scope, TargetError, targetsNamed } from '../../../src/overrides/targets.js'

const SITE: readonly Named[] = [
  { service: 'web', reals: ['[fd00::3]:80', '[fd00::13]:80', '10.0.0.3:80', 'app1.example:80'] },
  { service: 'mail/tcp/25', reals: ['[fd00::25]:25'] },
  { service: 'mail/tcp/587', reals: ['[fd00::25]:587', '[fd00::26]:587'] },
  { service: 'web/old', reals: ['[fd00::3]:80'] },
]
const said = (word: string, site = SITE) =>
  targetsNamed(word, site).map(({ service, real }) => (real === null ? service : `${service} ${real}`))

describe('targets: the meaning of a target on the command line', () => {
  const rows: [word: string, expected: readonly string[]][] = [
    ['all', ['web', 'mail/tcp/25', 'mail/tcp/587', 'web/old']],
    ['mail', ['mail/tcp/25', 'mail/tcp/587']],
    ['mail/tcp/25', ['mail/tcp/25']],
    ['web/old', ['web/old']],
    ['web/old/::3', ['web/old [fd00::3]:80']],
    ['mail/fd00::25', ['mail/tcp/25 [fd00::25]:25', 'mail/tcp/587 [fd00::25]:587']],
    ['mail/::26', ['mail/tcp/587 [fd00::26]:587']],
    ['web', ['web']],
    ['mail/tcp/587/::26', ['mail/tcp/587 [fd00::26]:587']],
  ]
  for (const [word, expected] of rows)
    it(`${word}: ${expected.join(', ')}`, () => {
      assert.deepEqual(said(word), expected)
    })

  const one = SITE.slice(0, 1)
  for (const word of ['[fd00::3]:80', 'fd00::3', '[fd00::3]', 'FD00:0:0::3', '[fd00:0::3]:80', '::3'])
    it(`web/${word} is the server fd00::3`, () => {
      assert.deepEqual(said(`web/${word}`, one), ['web [fd00::3]:80'])
    })

  for (const [word, expected] of [
    ['10.0.0.3', 'web 10.0.0.3:80'],
    ['0.3:80', 'web 10.0.0.3:80'],
    ['app1.example', 'web app1.example:80'],
    ['13]:80', 'web [fd00::13]:80'],
  ] as const)
    it(`web/${word} is ${expected}`, () => {
      assert.deepEqual(said(`web/${word}`, one), [expected])
    })

  describe('as servers with several addresses', () => {
    const [six, four] = ['[fd00::3]:80', '10.0.0.3:80']
    const web = { service: 'web', reals: ['[fd00::13]:80', six, four], multihomed: [[six, four]] }
    const parts = [25, 587].map(port => ({
      service: `mail/tcp/${port}`,
      reals: [`[fd00::9]:${port}`, `10.0.0.9:${port}`],
      multihomed: [[`[fd00::9]:${port}`, `10.0.0.9:${port}`]],
    }))
    const meant = (word: string, scope: Scope) =>
      targetsNamed(word, [web, ...parts], scope).map(({ service, real }) => `${service} ${real}`)

    for (const word of ['fd00::3', '10.0.0.3', four, '0.3', '[fd00:0::3]:80'])
      it(`web/${word} is both addresses of a server, or itself`, () => {
        assert.deepEqual(meant(`web/${word}`, 'server'), [`web ${six}`, `web ${four}`])
        assert.equal(meant(`web/${word}`, 'address').length, 1)
      })

    it('has the server once for an end that all its addresses have, in each part', () => {
      assert.deepEqual(meant('mail/9', 'server'), [
        'mail/tcp/25 [fd00::9]:25',
        'mail/tcp/25 10.0.0.9:25',
        'mail/tcp/587 [fd00::9]:587',
        'mail/tcp/587 10.0.0.9:587',
      ])
      assert.throws(() => meant('mail/9', 'address'), /may be any of several/)
    })

    it('refuses an end that two servers have', () => {
      assert.throws(
        () => meant('web/3', 'server'),
        /may be any of several real servers of "web": \[fd00::13\]:80, /,
      )
    })

    it('leaves other servers, services and all as they are', () => {
      assert.deepEqual(meant('web/::13', 'server'), ['web [fd00::13]:80'])
      for (const word of ['web', 'all', 'mail'])
        assert.deepEqual(meant(word, 'server'), meant(word, 'address'))
    })

    it('means the same by each address, for any servers', () => {
      const address = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 250 }))
      fc.assert(
        fc.property(
          fc.uniqueArray(address, { minLength: 1, selector: String }),
          fc.integer({ min: 1, max: 4 }),
          (all, size) => {
            const reals = all.map(([isSix, n]) => (isSix ? `[fd00::${n}]:80` : `10.0.0.${n}:80`))
            const servers = reals.flatMap((_, i) => (i % size === 0 ? [reals.slice(i, i + size)] : []))
            const site = [{ service: 'web', reals, multihomed: servers.filter(({ length }) => length > 1) }]
            for (const names of servers)
              for (const name of names)
                assert.deepEqual(
                  targetsNamed(`web/${name}`, site, 'server').map(({ real }) => real),
                  names,
                )
          },
        ),
      )
    })
  })

  const wrong: [word: string, sentence: RegExp][] = [
    ['wbe', /there is no service "wbe"; did you mean "web"\?/],
    ['fd00:0::3', /there is no service "fd00:0::3"; did you mean "web\/fd00:0::3"\?/],
    ['[fd00::3]:80', /there is no service "\[fd00::3\]:80"; did you mean "web\/\[fd00::3\]:80"\?/],
    ['', /there is no service ""; there are: web$/],
    [
      'web/3',
      /"3" may be any of several real servers of "web": \[fd00::3\]:80, \[fd00::13\]:80, 10\.0\.0\.3:80/,
    ],
    ['web/', /"web" has no real server ""/],
    ['web/::4', /"web" has no real server "::4"/],
    ['all/::3', /there is no service "all"/],
  ]
  for (const [word, sentence] of wrong)
    it(`"${word}" is refused`, () => {
      assert.throws(
        () => said(word, one),
        (error: Error) => error instanceof TargetError && sentence.test(error.message),
      )
    })

  it('find each server by its own name, for any servers', () => {
    const host = fc.oneof(
      fc.ipV6().map(text => `[${text}]`),
      fc.ipV4(),
      fc.domain(),
    )
    const name = fc.tuple(host, fc.integer({ min: 1, max: 99 })).map(([one, port]) => `${one}:${port}`)
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), reals => {
        const site = [{ service: 'web', reals }]
        for (const real of reals)
          try {
            assert.deepEqual(targetsNamed(`web/${real}`, site), [{ service: 'web', real }])
          } catch (error) {
            // A notation that is not canonical is none of a configuration.
            assert.ok(
              error instanceof TargetError && /[[A-F]|:0|\d\.\d+\.\d+\.\d+\]/.test(real),
              `${real}: ${error}`,
            )
          }
      }),
    )
  })
})
