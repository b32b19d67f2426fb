/** `lvsd simulate` as a process. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { installed } from '../../../support/compile.js'
import { temporaryFile } from '../../../support/folder.js'
import { pause } from '../../../support/until.js'

const MAIN = installed('main')
const SITE = `services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, request: /health, receive: ok, interval: 10s, timeout: 3s, fall: 2 }
    reals: ['[fd00::1]:80', 'two.example:80']
`

function simulate(text: string, ...words: readonly string[]) {
  const site = temporaryFile('site.yaml', text)
  return spawnSync(process.execPath, [MAIN, 'simulate', site, ...words], { encoding: 'utf8' })
}

/** Starts it, interrupts it after `ms` milliseconds, and returns how it ended. */
async function interruptedAfter(ms: number, words: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'simulate', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await pause(ms)
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  return { code, text }
}

describe('lvsd simulate', () => {
  it('simulates a site that is larger than the configuration', () => {
    const { stdout, stderr, status } = simulate(
      SITE,
      '--reals',
      '100',
      '--for',
      '10m',
      '--failures',
      'mttf=1h',
      '--json',
    )
    assert.equal(stderr, '')
    assert.equal(status, 0)
    const report = JSON.parse(stdout)
    assert.deepEqual([report.reals, report.ended], [100, 'complete'])
    assert.ok(report.runs >= 6000)
    assert.ok(report.counts.removals > 0 && report.derived.runsPerSecond > 0)
  })

  it('counts the checks that are sure to change nothing, after the first, or runs every check', () => {
    const words = ['--reals', '1000', '--for', '1h', '--failures', 'mttf=10h', '--json']
    const [some, every] = [words, [...words, '--every-check']].map(each =>
      JSON.parse(simulate(SITE, ...each).stdout),
    )
    assert.equal(every.run.counted, 0)
    assert.ok(some.run.counted > 0.6 * some.runs, `${some.run.counted} of ${some.runs}`)
    assert.ok(some.run.measured.runs >= 100_000 && some.run.measured.microsecondsEach > 0)
    const found = ({ run: _, file: __, derived: { load }, ...report }: typeof some) => ({ ...report, load })
    assert.deepEqual(found(some), found(every))
  })

  it('says which lines of a configuration are wrong', () => {
    const { stdout, stderr, status } = simulate(SITE.replace('fall:', 'fal:'))
    assert.deepEqual([stdout, status], ['', 1])
    assert.match(stderr, /site\.yaml:4:\d+ UNKNOWN_KEY/)
  })

  it('says which part of a failure model is wrong', () => {
    const { stdout, stderr, status } = simulate(SITE, '--failures', 'mttf=1h,slo=1%')
    assert.deepEqual([stdout, status], ['', 2])
    assert.match(
      stderr,
      /^lvsd: --failures, character 9: "slo" .* did you mean "slow"\?\nTry: lvsd simulate --help\n$/,
    )
  })

  it('ends at Ctrl-C with what it has', async () => {
    const site = temporaryFile('site.yaml', SITE)
    const words = [site, '--for', '10000h', '--within', '1h', '--json']
    let ms = 500
    let { code, text } = await interruptedAfter(ms, words)
    // Before the command handles the signal, it ends the process.
    for (; code === null && ms < 20_000; ms *= 2) ({ code, text } = await interruptedAfter(ms, words))
    assert.equal(code, 0)
    const report = JSON.parse(text)
    assert.equal(report.ended, 'interrupted')
    assert.ok(report.simulated < report.wanted)
  })
})
