import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/replay.js'
import { testContext } from '../../../support/context.js'
import { temporaryFile } from '../../../support/folder.js'
import { recordingOf } from '../../../support/simulate/recordings.js'

const REAL = 'web/[fd00::1]:80'
const CHECK = `${REAL}/connect`
const POLICY = { interval: 10_000, timeout: 3000, rise: 1, fall: 2, fastinter: 10_000 }
const START = Date.parse('2026-11-28T12:00:00Z')

const result = (t: number, ok: boolean) => ({
  t: START + t * 1000 + 1,
  check: CHECK,
  ok,
  reason: ok ? null : 'refused',
  detail: '',
  phase: null,
  ms: 1,
  ...(t === 0 && { policy: POLICY }),
})
const state = (t: number, from: string, to: string) => ({ t: START + t * 1000 + 1, real: REAL, from, to })

const RECORDED = [
  { t: START, begin: true },
  result(0, true),
  state(0, 'unknown', 'up'),
  result(30, false),
  state(40, 'up', 'down'),
  result(50, true),
  state(50, 'down', 'up'),
  { t: START + 120_000, end: true },
]

async function run(
  path: string,
  { fall = 3, all = false, json = false, interval = 10, kind = 'connect' } = {},
) {
  const { context, out, err } = testContext()
  const config = temporaryFile(
    'other.yaml',
    `services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: ${kind}, interval: ${interval}s, timeout: 3s, fall: ${fall}, fastinter: ${interval}s }
    reals: ['[fd00::1]:80', '[fd00::2]:80']
`,
  )
  const code = await command.run({ ...context, options: { config, all, json }, arguments: { PATH: path } })
  return { code, out: out(), err: err() }
}

describe('lvsd replay', () => {
  it('shows a table of differences', async () => {
    const { code, out, err } = await run(recordingOf(RECORDED))
    assert.deepEqual([code, err], [EXIT.ok, ''])
    assert.match(out, /: 2026-11-28 .* \(2m00s\)\n2 checks, \d+ runs, 2 changes of the table\n/)
    assert.match(
      out,
      /\n1 of 1 real server would have been different with .*other\.yaml; 1 more cannot be compared\n/,
    )
    assert.match(out, /\nreal server +removals +would be +out of service +would be +false +would be\n/)
    assert.match(
      out,
      /\nweb\/\[fd00::1\]:80 +1 +0 +10s +0s +1 +0\nweb\/\[fd00::2\]:80( +-){6}\nall +1 +0 +10s +0s +1 +0\n/,
    )
    assert.match(out, /\n {2}was: +\S+ for 10s \(false\)\n {2}would be: not removed\n/)
    assert.match(out, /\nChecks without a recording: web\/\[fd00::2\]:80\/connect\n$/)
  })

  it('lists servers without a difference only where it is asked to', async () => {
    const folder = recordingOf(RECORDED)
    assert.match(
      (await run(folder, { fall: 2 })).out,
      /\n0 of 1 real server .*\n\nreal server .*\nweb\/\[fd00::2\]/,
    )
    assert.match(
      (await run(folder, { fall: 2, all: true })).out,
      /\nweb\/\[fd00::1\]:80 +1 +1 +10s +10s +1 +1\n/,
    )
  })

  it('says how many runs have no result', async () => {
    const { out } = await run(recordingOf(RECORDED), { interval: 5 })
    assert.match(
      out,
      /\n1[12] of \d+ runs had no result: the recording has none, because checks ran less often or began anew\./,
    )
  })

  it('does not tell what a check would have found of which there is no recording', async () => {
    const { code, out } = await run(recordingOf(RECORDED), { kind: 'http' })
    assert.equal(code, EXIT.ok)
    assert.match(out, /\n2 real servers cannot be compared with .*other\.yaml\n/)
    assert.match(out, /\nweb\/\[fd00::1\]:80 +1 +- +10s +- +1 +-\n/)
    assert.match(out, /\nall( +-){6}\n/)
    const readme = readFileSync('README.md', 'utf8').replaceAll(/\s+/g, ' ')
    assert.match(
      readme,
      /of which there is no recording \([^)]*\) has `-`, "not known", and is left out of the line `all`/,
    )
    assert.match(
      readme,
      /the configuration of the recording makes no difference\..* A line `Control` then says so/,
    )
    assert.match(out, /\n {2}was: +\S+ for 10s \(false\)\n {2}would be: not known: no recording of http\n/)
    assert.match(
      out,
      /\n24 of 24 runs had no result: nothing was recorded at that time, or not of that check\.\n/,
    )
  })

  it('shows tenths below ten seconds, and what the recorded events give', async () => {
    const late = RECORDED.map(entry =>
      'from' in entry && entry.to === 'down' ? { ...entry, t: entry.t + 9500 } : entry,
    )
    const { out } = await run(recordingOf(late), { fall: 2, all: true })
    assert.match(out, /\n0 of 1 real server would/)
    assert.match(out, /\nall +1 +1 +10s +10s +1 +1\n/)
    assert.match(
      out,
      /\nControl: the recorded events give 1 removal, 0\.5s out of service, 1 false; "was" is a replay of .*\. Differences of less than 19s for each removal mean nothing\.\n/,
    )
  })

  it('says that the recording has no policy to replay', async () => {
    const bare = RECORDED.map(entry => ({ ...entry, policy: undefined }))
    assert.match(
      (await run(recordingOf(bare))).out,
      /\nControl: the recorded events give 1 removal, 10s .* 1 false; "was" is taken from them for web\/\[fd00::1\]:80, because the recording has no policy to replay\. Differences of less than 10s /,
    )
  })

  it('prints the comparison as JSON', async () => {
    const { servers, schema } = JSON.parse((await run(recordingOf(RECORDED), { json: true })).out)
    assert.equal(schema, 1)
    const { was, tolerance, ...rest } = servers[0]
    assert.deepEqual(rest, {
      name: REAL,
      wasBy: 'replay',
      events: { outages: [{ from: START + 40_001, to: START + 50_001, isFalse: true }], outMs: 10_000 },
      would: { outages: [], outMs: 0 },
      withoutRecording: [],
      isSame: false,
    })
    assert.equal(Math.round(was.outMs / 100), 100)
    assert.ok(tolerance >= 10_000 && tolerance < 10_100, String(tolerance))
  })

  it('warns of lines that it cannot read, with their places', async () => {
    const folder = recordingOf(RECORDED)
    appendFileSync(join(folder, '00000001.log'), '{"t":1}\n')
    const { code, err } = await run(folder)
    assert.equal(code, EXIT.problem)
    assert.match(err, /^lvsd: .*00000001\.log:10: this line is damaged\n$/)
  })

  it('ends with one sentence without a recording, and without a configuration', async () => {
    const refused = (exit: number, message: RegExp) => (error: unknown) =>
      error instanceof CommandError && error.exit === exit && message.test(error.message)
    await assert.rejects(
      run('/nonexistent/results'),
      refused(EXIT.problem, /\/nonexistent\/results does not exist/),
    )
    const { context } = testContext()
    const options = { config: undefined, all: false, json: false }
    await assert.rejects(
      command.run({ ...context, options, arguments: { PATH: '/tmp' } }),
      refused(EXIT.usage, /lvsd replay needs --config/),
    )
  })
})
