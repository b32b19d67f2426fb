import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load.js'
import { loadChecks } from '../../src/load-checks.js'
import { temporaryFile, temporaryFolder } from '../helpers/folder.js'

/** A check of this name, with more at the top of its file and in its object. */
const fileOf = (name: string, { top = '', object = '' }) => `${top}
export const check = {
  name: '${name}',
  summary: 'a check of the tests',
  options: kit => ({ word: kit.text('up', 'What to say') }),
  run: async () => ({ ok: true, reason: null, detail: 'well' }),
  ${object}
}
`

const AT_IMPORT: readonly [name: string, top: string, sentence: RegExp][] = [
  ['loops', 'while (true) {}', /it is not loaded within 5 s$/],
  ['waits', 'await new Promise(() => {})', /it is not loaded within 5 s$/],
  ['sleeps', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', /it is not loaded within 5 s$/],
  ['exits', 'process.exit(0)', /it ends its thread \(process\.exit\(0\)\)$/],
  ['throws', 'throw new Error("no")', /it does not load: no$/],
  ['throws-nothing', 'throw undefined', /it does not load: undefined$/],
  [
    'throws-late',
    'setTimeout(() => { throw new Error("late") }); await new Promise(go => setTimeout(go, 5000))',
    /it throws where nothing catches it: late$/,
  ],
  [
    'rejects-beside',
    'Promise.reject(new Error("beside")); await new Promise(go => setTimeout(go, 5000))',
    /it throws where nothing catches it: beside$/,
  ],
  ['allocates', 'const all = []; while (true) all.push(new Array(1000).fill({}))', /MB of memory$/],
  ['buffers', 'const all = []; while (true) all.push(Buffer.alloc(1e6, 1))', /MB of memory$/],
]

const IN_OBJECT: readonly [name: string, object: string, sentence: RegExp][] = [
  ['options-loop', 'options() { while (true) {} },', /it is not loaded within 5 s$/],
  ['options-exit', 'options() { process.exit(3) },', /it ends its thread \(process\.exit\(3\)\)$/],
  ['getter', 'get summary() { throw new Error("never") },', /it does not load|never$/],
]

describe("a user's file that does harm while it is loaded", function () {
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
    assert.match(files[0]?.remark ?? '', /^it prints 10010001 bytes while it is loaded.*"xxx/)
    assert.ok(checks.has('prints'))
  })
})

describe("what a user's file says to the options that a configuration gives", function () {
  this.timeout(60_000)

  it('is told with the place of the check, once for each', async () => {
    const problems = await problemsOf({
      object: `validate: ({ word }) => word === 'bad' ? 'word is ' + word : null,
        missing: ({ word }) => word === 'odd' ? 'there is no ' + word : null,`,
      checks: [
        '{ kind: own }',
        '{ kind: own, word: bad }',
        '{ kind: own, word: odd }',
        '{ kind: own, word: bad }',
      ],
    })
    assert.deepEqual(problems, [
      '6:52 error CHECK_OPTIONS own: word is bad',
      '7:52 warning CHECK_UNAVAILABLE own: there is no odd',
      '8:52 error CHECK_OPTIONS own: word is bad',
    ])
  })

  const wrong: readonly [what: string, object: string, message: RegExp][] = [
    ['throws', 'validate() { throw new Error("ouch") },', /CHECK_OPTIONS own: `validate` fails: ouch$/],
    [
      'returns no sentence',
      'validate: () => false,',
      /`validate` must return a sentence or null, not a boolean$/,
    ],
    [
      'loops',
      'validate() { while (true) {} },',
      /own\.mjs: `validate` or `missing` does not answer within 3 s$/,
    ],
    ['exits', 'validate() { process.exit(1) },', /own\.mjs: it ends its thread \(process\.exit\(1\)\)$/],
    [
      'fails in missing',
      'missing() { throw new Error("ouch") },',
      /warning CHECK_UNAVAILABLE own: `missing` fails: ouch$/,
    ],
  ]
  for (const [what, object, message] of wrong)
    it(`is a problem where it ${what}`, async () => {
      const problems = await problemsOf({ object, checks: ['{ kind: own }'] })
      assert.equal(problems.length, 1)
      assert.match(problems[0] as string, message)
    })

  it('names the options at which it stops', async () => {
    const object = "validate({ word }) { while (word === 'stop') {} return null },"
    const problems = await problemsOf({
      object,
      checks: ['{ kind: own }', '{ kind: own, word: stop }', '{ kind: own, word: x }'],
    })
    assert.equal(problems.length, 1)
    assert.match(problems[0] as string, /^6:52 error CHECK_OPTIONS own: .*does not answer/)
  })
})

describe('a folder with a file that does not load', () => {
  it('is no error where nothing uses it, and one where something does', async () => {
    const broken = (kind: string) =>
      problemsOf({ checks: [`{ kind: ${kind} }`], more: { 'broken.mjs': '1', 'ping.mjs': '2' } })
    assert.deepEqual((await broken('own')).map(brief), [
      '2:12 warning CHECK_FOLDER',
      '2:12 warning CHECK_FOLDER',
    ])
    assert.deepEqual((await broken('broken')).map(brief), [
      '2:12 error CHECK_FOLDER',
      '2:12 error CHECK_FOLDER',
      '5:52 error UNKNOWN_CHECK',
    ])
    assert.deepEqual((await broken('ping')).map(brief), [
      '2:12 warning CHECK_FOLDER',
      '2:12 error CHECK_FOLDER',
    ])
  })

  const brief = (problem: string) => problem.split(' ').slice(0, 3).join(' ')
})

/** Each check is that of a service of its own, from line 5 on. */
async function problemsOf({
  object = '',
  checks,
  more = {},
}: {
  object?: string
  checks: readonly string[]
  more?: Readonly<Record<string, string>>
}): Promise<string[]> {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries({ 'own.mjs': fileOf('own', { object }), ...more })) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o644)
  }
  const services = checks.map(
    (check, i) =>
      `  s${i}: { virtual: '[2001:db8::1]:${i + 1}', check: ${check}, reals: ['[2001:db8::9]:80'] }`,
  )
  const file = temporaryFile(
    'site.yaml',
    `settings:\n  checks: [${folder}]\nservices:\n\n${services.join('\n')}\n`,
  )
  const { problems } = await loadConfig(file)
  return problems.map(
    ({ at, severity, code, message }) => `${at.line}:${at.column} ${severity} ${code} ${message}`,
  )
}
