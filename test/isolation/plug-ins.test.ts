/** A running lvsd beside check files that harm: see watch.ts for what is expected of it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { packageRoot } from '../../src/system/version.js'
import { compile } from '../support/compile.js'
import { BROKEN_FILES, PLUG_INS, plugInFolder } from './plug-ins.js'
import { watch } from './watch.js'

const PLUG_IN_GROUPS: readonly (readonly string[])[] = [
  ['loops', 'blocks-in-regexp', 'blocks-by-atomics'],
  ['throws-late', 'throws-in-emitter', 'rejects-beside', 'socket-without-listener'],
  ['exits', 'exits-late', 'kills-itself', 'never-settles'],
  ['allocates-objects'],
  ['allocates-buffers'],
  ['allocates-shared'],
  ['takes-a-long-step'],
  ['keeps-the-threads', 'leaves-daemons', 'kills-lvsd'],
  ['writes-around', 'sends-garbage'],
  ['floods-lvsd', 'names-phases'],
  ['prints-much', 'answers-rubbish', 'answers-a-proxy'],
]

describe('lvsd run beside hostile plug-ins', function () {
  this.timeout(300_000)

  before(() => compile(packageRoot))

  for (const names of PLUG_IN_GROUPS)
    it(`${names.join(', ')}: whoever provokes it is down, all others are up`, async () => {
      const cases = names.map(name => ({
        name,
        server: 'bad',
        check: `kind: ${name}`,
        friend: 'plug',
        state: 'down' as const,
        reason: REASONS[name] ?? /./,
      }))
      await watch(cases, {
        settings: `, checks: [${plugInFolder(names)}]`,
        dying: { friend: 'plug', check: `kind: ${names[0]}` },
        daemons,
      })
    })

  it('no plug-in of this folder is left out', () => {
    assert.deepEqual(PLUG_IN_GROUPS.flat().sort(), Object.keys(PLUG_INS).sort())
  })

  it('files that cannot be imported harm nobody', async () => {
    const folder = plugInFolder(['loops'], true)
    const startedAt = performance.now()
    await watch([{ name: 'loops', server: 'plug', check: 'kind: loops', friend: 'plug', state: 'any' }], {
      settings: `, checks: [${folder}]`,
    })
    assert.ok(Object.keys(BROKEN_FILES).length > 0 && performance.now() - startedAt < 60_000)
  })
})

/** What the verdict says of the culprit; the file is named in all of them. */
const REASONS: Readonly<Record<string, RegExp>> = {
  loops: /loops\.mjs/,
  'throws-late': /throws-late\.mjs/,
  exits: /exits\.mjs/,
  'sends-garbage': /sends-garbage\.mjs/,
  'exits-late': /exits-late\.mjs/,
  'allocates-objects': /allocates-objects\.mjs/,
  'allocates-buffers': /allocates-buffers\.mjs/,
  'allocates-shared': /allocates-shared\.mjs/,
  'takes-a-long-step': /takes-a-long-step\.mjs/,
  'floods-lvsd': /floods-lvsd\.mjs/,
  'kills-lvsd': /must not send signals to lvsd/,
  'blocks-in-regexp': /blocks-in-regexp\.mjs/,
  'blocks-by-atomics': /blocks-by-atomics\.mjs/,
}

/** Returns how many daemons of the plug-in leaves-daemons there are. */
function daemons(): number {
  return commandLines().filter(line => line === 'sleep\x0077777\x00').length
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      } catch {
        return ''
      }
    })
}
