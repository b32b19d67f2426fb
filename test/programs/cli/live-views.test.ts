/**
 * `status --watch`, `top`, `why` and `drain --wait` in a pseudo-terminal, with a daemon that has 2,000 real servers: what
 * a person sees, and that the terminal is as before afterwards.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endOverrides, fetchStatus, giveOverride } from '../../../src/api/client.js'
import { ALL_EFFECTS } from '../../../src/cli/override-command.js'
import { openScreen, type ScreenRun } from '../../support/cli/screen.js'
import { installed } from '../../support/compile.js'
import type { Size } from '../../support/terminal.js'
import { until } from '../../support/until.js'

const MAIN = installed('main')
const MANY = 1997
const SMALL: Size = { width: 80, height: 24 }
const LARGE: Size = { width: 200, height: 50 }
const [UP, DOWN, PAGE_DOWN, ESCAPE, CTRL_C] = ['\u001b[A', '\u001b[B', '\u001b[6~', '\u001b', '\u0003']
const DRAINED = { service: 'web', real: '[2001:db8:1::9]:80' }

describe('live views in a terminal', function () {
  this.timeout(90_000)
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-views-'))
  const socket = join(folder, 'lvsd.sock')
  const failing = new Set(['/one'])
  const edge = createServer((request, response) =>
    response.writeHead(failing.has(request.url ?? '') ? 503 : 200).end('ok'),
  )
  let daemon: ChildProcess

  before(async () => {
    edge.listen(0, '::1')
    await once(edge, 'listening')
    writeFileSync(join(folder, 'site.yaml'), siteOf((edge.address() as AddressInfo).port, folder))
    const words = [MAIN, 'run', '--kernel', 'memory', '--socket', socket, join(folder, 'site.yaml')]
    daemon = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] })
    const isReady = async () => {
      const { totals } = await fetchStatus(socket)
      return totals.down === 1 && totals.unknown === 0
    }
    await until(() => isReady().catch(() => false), { patience: 60_000 })
    await drain()
  })

  after(async () => {
    edge.close()
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })

  const drain = () =>
    giveOverride(socket, { targets: [DRAINED], effect: { kind: 'drain' }, reason: 'disk swap', until: null })
  const open = (words: readonly string[], size: Size) =>
    openScreen([process.execPath, MAIN, ...words], size, { ...process.env, LVSD_SOCKET: socket })

  for (const size of [SMALL, LARGE])
    it(`status --watch fills ${size.width}x${size.height}: failed, overridden, then the folded healthy servers`, async () => {
      const run = open(['status', '--watch'], size)
      await run.shows(/^q quit/)
      assertFits(run, size, /^lvsd 0\.1\.0 /)
      const lines = run.lines()
      const rowOf = (pattern: RegExp) => {
        const row = lines.findIndex(line => pattern.test(line))
        assert.ok(row >= 0, `${pattern} in:\n${lines.join('\n')}`)
        return row
      }
      assert.ok(rowOf(/^ {2}down .*2001:db8:2::1\]/) < rowOf(/^web /))
      assert.ok(rowOf(/^ {2}up .*2001:db8:1::9\]/) < rowOf(/^ {2}… 1996 healthy$/))
      assert.match(lines.join('\n'), /drain by \w+: disk swap/)
      run.type('q')
      await assertRestored(run, 0)
    })

  it('status --watch scrolls, unfolds, filters, explains, drains and enables by keys', async () => {
    const run = open(['status', '--watch'], SMALL)
    await run.shows(/^q quit/)
    run.type(DOWN)
    await run.shows(/^> down .*2001:db8:2::1\]/)
    run.type('\r')
    await run.shows(/^Down since .* because http fails/)
    assertFits(run, SMALL, /^edge\/\[2001:db8:2::1\]:80 {2}down$/)
    run.type('x')
    await run.shows(/… 1996 healthy/)
    run.type('/')
    await run.shows(/^filter: _/)
    run.type('::7c0')
    await run.shows(/^filter: ::7c0_/)
    run.type('\r')
    await run.shows(/^ {2}up .*2001:db8:1::7c0\]/)
    assert.equal(run.lines().filter(line => /^[> ] (up|down) /.test(line)).length, 1)
    run.type(DOWN)
    await run.shows(/^> up .*::7c0\]/)
    run.type('d')
    await run.shows(/^drain web\/\[2001:db8:1::7c0\]:80: .* \[y\/N\]$/)
    run.type('n')
    await run.shows(/^nothing has been changed$/)
    run.type('d')
    await run.shows(/\[y\/N\]$/)
    run.type('y')
    await run.shows(/^> up .* 0 .*drain by \w+; not checked/)
    run.type('e')
    await run.shows(/^enable .* \[y\/N\]$/)
    run.type('y')
    await run.shows(/no override: its checks decide/)
    run.type(ESCAPE)
    await run.shows(/… 1996 healthy/)
    run.type('g')
    await run.shows(/^> down /)
    run.type(`${DOWN.repeat(4)}f`)
    await run.shows(/ \d{4} below$/)
    run.type(PAGE_DOWN.repeat(3))
    await run.shows(/[1-9]\d above, \d{4} below$/)
    assertFits(run, SMALL, /^lvsd 0\.1\.0 /)
    run.type(UP)
    run.type('?')
    await run.shows(/^Keys$/)
    run.type(CTRL_C)
    await assertRestored(run, 0)
  })

  it('status --watch shows a server that goes down meanwhile, and follows the size of the window', async () => {
    const run = open(['status', '--watch', '0.2'], SMALL)
    await run.shows(/^q quit/)
    failing.add('/two')
    await run.shows(/^ {2}down .*2001:db8:2::2\]/)
    await run.shows(/edge \[2001:db8:2::2\]:80 {2}up -> down/)
    failing.delete('/two')
    await run.shows(/^ {2}up .*2001:db8:2::2\]/)
    for (const size of [
      { width: 120, height: 40 },
      { width: 60, height: 12 },
    ]) {
      await run.resize(size)
      // A frame of the size before may come first.
      const isDrawn = () => {
        const lines = run.lines()
        return (
          /^lvsd/.test(lines[0] ?? '') && /^q quit/.test(lines[size.height - 1] ?? '') && !run.isWrapped()
        )
      }
      await until(isDrawn, { what: () => run.lines().join('\n') })
      assertFits(run, size, /^lvsd 0\.1\.0 /)
    }
    run.type(CTRL_C)
    await assertRestored(run, 0)
  })

  for (const size of [SMALL, LARGE])
    it(`top fills ${size.width}x${size.height}, sorts by keys, and folds what has no traffic`, async () => {
      const run = open(['top', '--every', '0.5'], size)
      await run.shows(/^q quit/)
      assertFits(run, size, /^lvsd 0\.1\.0 top .* sorted by new connections$/)
      assert.match(run.lines().join('\n'), /^ {2}down +\[2001:db8:2::1\]:80 /m)
      assert.match(run.lines().join('\n'), /^ {2}… \d{4} without traffic$/m)
      run.type('n')
      await run.shows(/sorted by name$/)
      run.type('/::7c0\r')
      await run.shows(/^ {2}up +\[2001:db8:1::7c0\]:80 /)
      run.type(CTRL_C)
      await assertRestored(run, 0)
    })

  for (const size of [SMALL, LARGE])
    it(`why and drain --wait fit ${size.width} columns`, async () => {
      const why = open(['why', 'web/::9'], { ...size, height: 50 })
      assert.equal((await why.ended).code, 0)
      assert.equal(why.isWrapped(), false)
      await why.shows(/^web\/\[2001:db8:1::9\]:80 {2}up/)
      const wait = open(
        ['drain', 'web/::9', '--wait', '1m', '--reason', 'a disk is swapped, which takes an hour'],
        size,
      )
      await assertRestored(wait, 0, /^web\/\[2001:db8:1::9\]:80: empty after \d+s/)
      assert.equal(wait.isWrapped(), false)
      await endOverrides(socket, { targets: [DRAINED], effects: [...ALL_EFFECTS] })
      await drain()
    })
})

/** The window is full, from its first line to the line with the keys, and no line is too long. */
function assertFits(run: ScreenRun, { height }: Size, first: RegExp): void {
  const lines = run.lines()
  assert.equal(lines.length, height)
  assert.match(lines[0] ?? '', first)
  assert.match(lines.at(-1) ?? '', /^(?:q quit|any other key: back|Down: )/)
  assert.equal(run.isWrapped(), false, lines.join('\n'))
  assert.deepEqual([run.isAlternate(), run.isCursorShown()], [true, false])
}

/** The command ends with this code, and leaves screen, cursor and modes of the terminal as they were. */
async function assertRestored(run: ScreenRun, code: number, last = /^before$/): Promise<void> {
  const { code: found, before, after } = await run.ended
  assert.equal(found, code, run.lines().join('\n'))
  assert.deepEqual([run.isAlternate(), run.isCursorShown(), after], [false, true, before])
  const lines = run.lines().filter(line => line !== '')
  assert.equal(lines[0], 'before')
  assert.match(lines.at(-1) ?? '', last)
}

/** Three real servers that answer `edge`, and 1,997 that count as up. */
function siteOf(port: number, folder: string): string {
  const web = Array.from({ length: MANY }, (_, i) => `      - '[2001:db8:1::${(i + 1).toString(16)}]:80'`)
  const edge = ['one', 'two', 'three'].map(
    (name, i) => `      - { address: '[2001:db8:2::${i + 1}]:80', check: { request: /${name} } }`,
  )
  return `settings: { state: ${folder} }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: none, interval: 10m }
    reals:
${web.join('\n')}
  edge:
    virtual: '[2001:db8::81]:80'
    check: { kind: http, checkaddress: '::1', checkport: ${port}, interval: 1s, fall: 1 }
    reals:
${edge.join('\n')}
`
}
