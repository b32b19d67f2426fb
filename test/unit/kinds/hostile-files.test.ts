import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { temporaryFolder } from '../../support/folder.js'
import { fileOf } from '../../support/kinds/file.js'

/** On a busy machine the memory grows more slowly than the time runs out. */
const GREEDY = /MB of memory$|it did not load within 5 s$/

const AT_IMPORT: readonly [name: string, top: string, sentence: RegExp][] = [
  ['loops', 'while (true) {}', /it did not load within 5 s$/],
  ['waits', 'await new Promise(() => {})', /it did not load within 5 s$/],
  ['sleeps', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', /it did not load within 5 s$/],
  ['exits', 'process.exit(0)', /it ended its process \(exit code 0\)$/],
  ['throws', 'throw new Error("no")', /it does not load: no$/],
  ['throws-nothing', 'throw undefined', /it does not load: undefined$/],
  [
    'throws-late',
    'setTimeout(() => { throw new Error("late") }); await new Promise(go => setTimeout(go, 5000))',
    /it has an uncaught exception: late$/,
  ],
  [
    'rejects-beside',
    'Promise.reject(new Error("beside")); await new Promise(go => setTimeout(go, 5000))',
    /it has an uncaught exception: beside$/,
  ],
  ['allocates', 'const all = []; while (true) all.push(new Array(1000).fill({}))', GREEDY],
  ['grows', 'const all = []; while (true) all.push(all.length)', GREEDY],
  ['buffers', 'const all = []; while (true) all.push(Buffer.alloc(1e6, 1))', GREEDY],
  [
    'shares',
    'const all = []; while (true) all.push(new Uint8Array(new SharedArrayBuffer(1e6)).fill(1))',
    GREEDY,
  ],
  ['aborts', 'process.abort()', /it ended its process|MB of memory/],
  ['steps', 'new Array(3e7).fill(0).sort(() => 1)', GREEDY],
]

const IN_OBJECT: readonly [name: string, object: string, sentence: RegExp][] = [
  ['options-loop', 'options() { while (true) {} },', /it did not load within 5 s$/],
  ['options-exit', 'options() { process.exit(3) },', /it ended its process \(exit code 3\)$/],
  ['getter', 'get summary() { throw new Error("never") },', /it does not load|never$/],
]

describe("hostile-files: a user's file that does harm while it is loaded", function () {
  this.timeout(60_000)

  it('becomes a sentence with its name, and harms no other', async () => {
    const folder = temporaryFolder()
    const cases = [
      ...AT_IMPORT.map(([name, top, sentence]) => ({ name, sentence, text: fileOf(name, { top }) })),
      ...IN_OBJECT.map(([name, object, sentence]) => ({ name, sentence, text: fileOf(name, { object }) })),
    ]
    for (const { name, text } of [...cases, { name: 'well', text: fileOf('well', {}) }])
      writeFileSync(join(folder, `${name}.mjs`), text, { mode: 0o644 })
    const { checks, files } = await loadChecks([folder])
    for (const { name, sentence } of cases)
      assert.match(
        files.find(({ path }) => path.endsWith(`/${name}.mjs`))?.problem ?? 'it is loaded',
        sentence,
      )
    assert.ok(checks.has('well') && checks.has('http'))
  })

  it('is loaded all the same when it prints without end, with a remark', async () => {
    const folder = temporaryFolder()
    const top = 'for (let i = 0; i < 10_000; i++) console.log("x".repeat(1000)); process.stderr.write("!")'
    writeFileSync(join(folder, 'prints.mjs'), fileOf('prints', { top }), { mode: 0o644 })
    const { files, checks } = await loadChecks([folder])
    assert.match(files[0]?.remark ?? '', /^it printed 10010001 bytes while it was loaded.*"xxx/)
    assert.ok(checks.has('prints'))
  })
})
