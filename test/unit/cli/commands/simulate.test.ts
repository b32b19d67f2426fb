import assert from 'node:assert/strict'
import { CommandError, EXIT } from '../../../../src/cli/command.js'
import { command, refuseTooMany } from '../../../../src/cli/commands/simulate.js'
import { testContext } from '../../../support/context.js'
import { temporaryFile } from '../../../support/folder.js'

const SITE = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: 10s, timeout: 3s, fall: 2 }
    reals: ['[2001:db8:1::11]:80', 'two.example:80']
`

const OPTIONS = {
  reals: undefined,
  failures: '',
  for: '10m',
  within: '1h',
  seed: '1',
  cost: '90',
  json: false,
  'every-check': false,
}

async function run(options: Partial<Omit<typeof OPTIONS, 'reals'> & { reals: string }> = {}) {
  const { context, out, err } = testContext()
  const CONFIG = temporaryFile('site.yaml', SITE)
  const given = { ...OPTIONS, ...options } as Parameters<typeof command.run>[0]['options']
  const code = await command.run({ ...context, options: given, arguments: { CONFIG } })
  return { code, out: out(), err: err() }
}

describe('lvsd simulate', () => {
  it('shows what has happened', async () => {
    const { code, out } = await run({ failures: 'none', reals: '7' })
    assert.equal(code, EXIT.ok)
    assert.match(out, /site\.yaml: 4 services, 7 real servers, 7 checks\n/)
    assert.match(out, /failures: mttf never, .*; seed 1\nsimulated 10m in \S+s\n/)
    assert.match(
      out,
      /start +all checked after .* 11 changes of the table \(11 added, 0 changed, 0 removed\)/,
    )
    assert.match(out, /failures +0 began, 0 ended\n/)
    assert.match(out, /changes +0 changes of the table .* in 0 messages to the kernel/)
    assert.match(out, /checks +420, 0\.7 per second, 0\.0063% of one processor/)
    assert.match(out, /detection +0 +- +- +- +-\n/)
    assert.match(out, /lateness of checks +420 /)
    assert.match(out, /every check was run\n/)
    assert.match(out, /CPU +\S+ per simulated hour .*, computed from \d+\.\dµs for each of 420 checks\n/)
    assert.doesNotMatch(out, /full/)
  })

  it('says that one director is full where checks are late', async () => {
    const { out } = await run({ reals: '60', cost: '300000', for: '5m' })
    assert.match(out, /One director is full: checks are late\. .*"cluster: observers"/)
  })

  it('prints a report as JSON, the same for the same seed', async () => {
    const report = async () => {
      const {
        run: _,
        file: __,
        derived,
        ...rest
      } = JSON.parse((await run({ failures: 'mttf=5m,mttr=1m', json: true })).out)
      return { ...rest, load: derived.load }
    }
    const first = await report()
    assert.deepEqual(first, await report())
    assert.equal(first.schema, 1)
    assert.ok(first.counts.removals > 0)
    assert.equal(first.detection.count, first.counts.removals)
  })

  it('ends at a signal with what it has', async () => {
    const { context, out, send } = testContext()
    const CONFIG = temporaryFile('site.yaml', SITE)
    const options = { ...OPTIONS, for: '100000h', json: true } as Parameters<typeof command.run>[0]['options']
    const onSignal: typeof context.onSignal = (names, handler) => {
      const forget = context.onSignal(names, handler)
      setImmediate(() => send('SIGINT'))
      return forget
    }
    assert.equal(await command.run({ ...context, onSignal, options, arguments: { CONFIG } }), EXIT.ok)
    assert.equal(JSON.parse(out()).ended, 'interrupted')
  })

  it('refuses more real servers than the heap has room for', () => {
    refuseTooMany(100_000, 2 ** 31)
    assert.throws(
      () => refuseTooMany(200_000, 2 ** 31),
      /about 3434 MB .*2048 MB at most: NODE_OPTIONS=--max-old/,
    )
  })

  const wrong: [options: Parameters<typeof run>[0], message: RegExp][] = [
    [{ reals: '0' }, /--reals takes a number from 1 to 1000000, not "0"/],
    [{ reals: 'many' }, /--reals takes a number from 1 to 1000000, not "many"/],
    [{ seed: '-1' }, /--seed takes a number from 0/],
    [{ cost: '1.5' }, /--cost takes a number/],
    [{ for: 'ever' }, /--for takes a duration such as 90s, 24h or 30d, not "ever"/],
    [{ within: '' }, /--within takes a duration/],
    [{ failures: 'mttf=30d,mtr=5m' }, /--failures, character 10: "mtr" is no part .*"mttr"\?/],
  ]
  for (const [options, message] of wrong)
    it(`refuses a wrong value: ${message}`, async () => {
      await assert.rejects(run(options), (error: unknown) => {
        assert.ok(error instanceof CommandError && error.exit === EXIT.usage)
        assert.match(error.message, message)
        return true
      })
    })
})
