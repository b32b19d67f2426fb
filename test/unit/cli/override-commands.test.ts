/** What the commands that give and end overrides ask of the daemon. */
import assert from 'node:assert/strict'
import { type Command, EXIT } from '../../../src/cli/command.js'
import { command as disable } from '../../../src/cli/commands/disable.js'
import { command as drain } from '../../../src/cli/commands/drain.js'
import { command as enable } from '../../../src/cli/commands/enable.js'
import { command as force } from '../../../src/cli/commands/force.js'
import { command as undrain } from '../../../src/cli/commands/undrain.js'
import { command as weight } from '../../../src/cli/commands/weight.js'
import { parseLine } from '../../../src/cli/parse.js'
import { DRAIN, type DrainDaemon, drainDaemon } from '../../support/cli/drain.js'
import { testContext } from '../../support/context.js'
import { until } from '../../support/until.js'

const COMMANDS: readonly Command<never, never>[] = [drain, undrain, disable, enable, weight, force] as never
const ONE = [{ service: 'web', real: '[fd00::3]:80' }]
const ALL = [{ service: 'web', real: null }]
const PLAIN = { reason: '', until: null }

interface Asked {
  /** A key that answers a question. */
  readonly key?: string
  readonly screen?: Parameters<typeof testContext>[0]
  readonly counts?: 'drain'
  readonly site?: Pick<DrainDaemon, 'reals' | 'multihomed' | 'remains' | 'ended'>
}

async function asked(line: string, { key, screen = {}, counts, site }: Asked = {}) {
  const ends: unknown[] = []
  const { socket, given } = await drainDaemon([], {
    reals: ['[fd00::3]:80', '[fd00::4]:80'],
    ...site,
    ...(counts && { counts }),
    onEnd: request => ends.push(request),
  })
  const [name = '', ...words] = line.split(' ')
  const command = COMMANDS.find(one => one.name === name) as Command<never, never>
  const test = testContext(screen)
  const context = { ...test.context, env: { LVSD_SOCKET: socket }, ...parseLine(command, words) }
  const done = command.run(context as never)
  done.catch(() => {})
  if (key !== undefined) {
    await until(() => test.out().includes('[y/N]'))
    test.press(key)
  }
  return { code: await done, given, ends, out: test.out(), err: test.err() }
}

describe('override-commands', () => {
  const gives: [line: string, request: object][] = [
    ['drain web/::3 -r disks', { targets: ONE, effect: { kind: 'drain' }, reason: 'disks', until: null }],
    ['drain web/::3 --ramp 30s', { targets: ONE, effect: { kind: 'drain', ramp: 30_000 }, ...PLAIN }],
    ['disable web/[fd00::3]:80', { targets: ONE, effect: { kind: 'disable' }, ...PLAIN }],
    ['weight web/fd00::3 7', { targets: ONE, effect: { kind: 'weight', weight: 7 }, ...PLAIN }],
    ['force web/::3 up', { targets: ONE, effect: { kind: 'force-up' }, ...PLAIN }],
    ['force web down --yes', { targets: ALL, effect: { kind: 'force-down' }, ...PLAIN }],
    ['drain all -y', { targets: ALL, effect: { kind: 'drain' }, ...PLAIN }],
  ]
  for (const [line, request] of gives)
    it(`give with "${line}"`, async () => {
      const { code, given } = await asked(line)
      assert.deepEqual([code, given], [EXIT.ok, [request]])
    })

  it('warn where clients have no other server', async () => {
    const [one, all] = [await asked('drain web/::3'), await asked('drain web --yes')]
    assert.equal(one.err, '')
    assert.equal(all.err, 'No other real server of web gets new connections: new clients are refused\n')
  })

  it('warn where a stronger override counts', async () => {
    const { code, err } = await asked('force web/::3 up', { counts: 'drain' })
    assert.equal(code, EXIT.ok)
    assert.match(err, /^web\/\[fd00::3\]:80: force-up has no effect until the drain by anna ends$/m)
  })

  it('give until the end of a duration', async () => {
    const before = Date.now()
    const { given } = await asked('drain web/::3 --for 2h')
    const left = (given[0]?.until ?? 0) - before
    assert.ok(left >= 7_200_000 && left < 7_260_000)
  })

  it('end a drain, and all of them', async () => {
    const all = ['force-down', 'disable', 'drain', 'weight', 'force-up']
    for (const [line, effects] of [
      ['undrain web/::3', ['drain']],
      ['enable web/::3', all],
    ] as const) {
      const { ends } = await asked(line)
      const [request] = ends as { targets: unknown; effects: string[] }[]
      assert.deepEqual([request?.targets, request?.effects.toSorted()], [ONE, effects.toSorted()])
    }
  })

  const refusals: [line: string, message: RegExp, asked?: Asked][] = [
    ['drain web/::9', /"web" has no real server "::9"; there are: \[fd00::3\]:80, \[fd00::4\]:80/],
    ['drain web/:80', /":80" may be any of several real servers of "web"/],
    ['drain wbe', /there is no service "wbe"; did you mean "web"\?/],
    ['drain web', /2 real servers.*--yes/],
    ['drain web', /nothing .*changed/i, { key: 'n', screen: { isTerminal: true } }],
    ['force web/::3 sideways', /a state is up or down, not "sideways"/],
    ['weight web/::3 -5', /a weight is a whole number from 0 to \d+, not "-5"/],
  ]
  for (const [line, message, how] of refusals)
    it(`refuse "${line}"${how ? ' after a no' : ''}`, async () => {
      await assert.rejects(asked(line, how), message)
    })

  it('ask on a terminal before they touch several servers', async () => {
    const { code, given, out } = await asked('drain web', { key: 'y', screen: { isTerminal: true } })
    assert.deepEqual([code, given.length], [EXIT.ok, 1])
    assert.match(out, /^drain web: 2 real servers/)
  })

  describe('on a real server with two addresses', () => {
    const [six, four] = ['[fd00::3]:80', '10.0.0.3:80'] as const
    const site = { reals: [six, four, '[fd00::4]:80'], multihomed: [[six, four]] }
    const both = [six, four].map(real => ({ service: 'web', real }))
    const lines: [line: string, targets: readonly object[]][] = [
      ['drain web/::3', both],
      ['drain web/10.0.0.3', both],
      ['disable web/10.0.0.3:80', both],
      // The end of both of its addresses.
      ['force web/3 down', both],
      ['weight web/::3 7', both],
      ['drain web/::3 --only', both.slice(0, 1)],
      ['disable web/10.0.0.3 --only', both.slice(1)],
      ['drain web/::4', [{ service: 'web', real: '[fd00::4]:80' }]],
    ]
    for (const [line, targets] of lines)
      it(`mean ${targets.length} with "${line}"`, async () => {
        const { given } = await asked(line, { site })
        assert.deepEqual(
          given.map(request => request.targets),
          [targets],
        )
      })

    it('end it on both, or on one with --only', async () => {
      for (const name of ['undrain', 'enable']) {
        const [all, one] = [
          await asked(`${name} web/10.0.0.3`, { site }),
          await asked(`${name} web/10.0.0.3 --only`, { site }),
        ]
        const targetsOf = (ends: readonly unknown[]) => ends.map(end => (end as { targets: unknown }).targets)
        assert.deepEqual([targetsOf(all.ends), targetsOf(one.ends)], [[both], [both.slice(1)]])
      }
    })

    it('show them in one line', async () => {
      const { out } = await asked('drain web/::3', { site })
      assert.equal(
        out,
        'web/[fd00::3]:80 and web/10.0.0.3:80  drain, by anna: disk swap\nweb/[fd00::4]:80  drain, by anna: disk swap\n',
      )
    })

    it('refuse an end that either address has, with --only', async () => {
      await assert.rejects(asked('drain web/3 --only', { site }), /"3" may be any of several real servers/)
    })
  })

  describe('that end overrides of a server that a maintenance file holds', () => {
    const remains = { ...DRAIN, effect: 'force-down', source: 'file', who: '/m/maint/[fd00::3]:80' } as const
    const reals = ['[fd00::3]:80']
    const WORDS = 'web/[fd00::3]:80 is still held down by a maintenance file'

    it('end with 1, and print how that ends', async () => {
      const one = await asked('enable web/::3', { site: { reals, remains } })
      assert.deepEqual([one.code, one.err], [EXIT.problem, `${WORDS}: rm '/m/maint/[fd00::3]:80' ends it\n`])
      const json = await asked('enable web/::3 --json', { site: { reals, remains } })
      assert.equal(json.code, EXIT.problem)
    })

    it('end with 0 if one has ended, or none of their kind is left', async () => {
      const ended = await asked('enable web/::3', { site: { reals, remains, ended: 1 } })
      const undrained = await asked('undrain web/::3', { site: { reals, remains } })
      assert.deepEqual([ended.code, undrained.code], [EXIT.ok, EXIT.ok])
    })

    it('print what releases it where the folder is missing', async () => {
      const gone = { ...remains, folderTrouble: 'gone' } as const
      const { err } = await asked('enable web/::3', { site: { reals, remains: gone } })
      assert.equal(err, `${WORDS}, and its folder is missing: mkdir /m/maint ends it\n`)
    })
  })

  it('show numbers where there are many servers', async () => {
    const reals = Array.from({ length: 30 }, (_, n) => `[fd00::${n + 1}]:80`)
    const { socket } = await drainDaemon([], { reals })
    const { context, out } = testContext()
    const words = parseLine(drain, ['web', '--yes'])
    await drain.run({ ...context, env: { LVSD_SOCKET: socket }, ...words } as never)
    assert.equal(out(), '30 real servers  drain, by anna: disk swap\n')
  })
})
