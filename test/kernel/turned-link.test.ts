/** A check command is a link that another user switches between root's program and his own while lvsd runs it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onCleanup } from '../support/after-each.js'
import { NOBODY } from '../support/as-root.js'
import { pause, until } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'

const WEB = 'tcp [fc00::80]:80'
const [HEALTHY, ASKED] = ['[fc00::11]:80', '[fc00::12]:80']
/** A folder that exists only in the lab. */
const FOLDER = '/run/turned'
const BOB = join(FOLDER, 'bob')
/** Written by the user's program, with the user id that it runs as. */
const TRACE = join(BOB, 'trace')

/** Milliseconds. TURN_SECONDS=60 for a long run. */
const DURATION = 1000 * Number(process.env.TURN_SECONDS ?? 5)

function script(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

/** Switches the link continuously as user nobody, until the test ends. */
function turn(link: string, targets: readonly string[]): { readonly turns: () => number } {
  const count = join(BOB, 'count')
  const program = `
    const fs = require('node:fs')
    const [link, count, ...targets] = process.argv.slice(1)
    for (let i = 0; ; i++) {
      fs.symlinkSync(targets[i % targets.length], link + '.new')
      fs.renameSync(link + '.new', link)
      if (i % 100 === 0) fs.writeFileSync(count, String(i))
    }`
  const child = spawn('nice', ['-n', '5', process.execPath, '--eval', program, link, count, ...targets], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  onCleanup(() => child.kill('SIGKILL'))
  return { turns: () => (existsSync(count) ? Number(readFileSync(count, 'utf8')) : 0) }
}

describe('a check command behind a symbolic link of another user', () => {
  before(() =>
    buildSite(
      ['fc00::80'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    ),
  )
  beforeEach(freshDirector)

  it('never runs as root, and the server keeps its state', async () => {
    for (const name of ['r11', 'r12']) startRealServer(name)
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(BOB, { recursive: true })
    const [ours, his] = [join(FOLDER, 'ours'), join(BOB, 'his')]
    script(ours, 'exit 0')
    script(his, `id -u >> ${TRACE}`)
    for (const path of [BOB, his]) chownSync(path, NOBODY, NOBODY)
    const link = join(BOB, 'check')
    const { turns } = turn(link, [ours, his])
    await until(() => turns() > 0)
    const lvsd = await startLvsd(
      writeConfig(`
defaults: { check: { interval: 200ms, timeout: 2s, fall: 1, rise: 1 } }
services:
  web:
    virtual: '[fc00::80]:80'
    reals:
      - { address: '[fc00::11]:80', forwarding: masq, check: { kind: http } }
      - { address: '[fc00::12]:80', forwarding: masq, check: { kind: external, checkcommand: ${link} } }
`),
    )
    await tableBecomes({ [WEB]: { [HEALTHY]: 'masq 1' } })
    const before = turns()
    await pause(DURATION)
    assert.ok(turns() > before + 500, `the link was turned ${turns() - before} times`)
    const refused = /belongs to user 65534|cannot be run|is not there/
    await until(async () => refused.test((await lvsd.real('web', ASKED)).reason), {
      what: 'a run that is refused',
    })
    assert.equal(existsSync(TRACE), false, 'his program has run')
    assert.equal((await lvsd.real('web', ASKED)).state, 'unknown')
  })
})
