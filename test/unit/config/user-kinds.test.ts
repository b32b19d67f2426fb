import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'
import { fileOf } from '../../support/kinds/file.js'

describe("user-kinds: what a user's file says to the options that a configuration gives", function () {
  this.timeout(60_000)

  it('is told with the place of the option that it speaks of, or of the check, once for each', async () => {
    const problems = await problemsOf({
      object: `validate: ({ word }) =>
          word === 'bad' ? { path: ['word'], message: 'word is bad' } : word === 'sad' ? 'word is sad' : null,
        missing: ({ word }) => word === 'odd' ? 'there is no ' + word : null,`,
      checks: [
        '{ kind: own }',
        '{ kind: own, word: bad }',
        '{ kind: own, word: odd }',
        '{ kind: own, word: bad }',
        '{ kind: own, word: sad }',
      ],
    })
    assert.deepEqual(problems, [
      '6:63 error CHECK_OPTIONS own: word is bad',
      '7:52 warning CHECK_UNAVAILABLE own: there is no odd',
      '8:63 error CHECK_OPTIONS own: word is bad',
      '9:52 error CHECK_OPTIONS own: word is sad',
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
    ['exits', 'validate() { process.exit(1) },', /own\.mjs: it ended its process \(exit code 1\)$/],
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

describe("user-kinds: what a user's file says of its kind", () => {
  const connecting = ['{ kind: own, connects: 2 }']

  it('refuses connects where they cannot stand for it, and not where the file says nothing of them', async () => {
    const object = 'connects: false,'
    assert.deepEqual(await problemsOf({ object, checks: connecting }), [
      '5:67 error CHECK_OPTIONS a TCP connect cannot replace a check by own: remove connects',
    ])
    assert.deepEqual(await problemsOf({ checks: connecting }), [])
  })

  it('warns of a whole URL where its request is the path of one', async () => {
    const object = `scheme: 'https', options: kit => ({ request: kit.text('/', 'What to ask for') }),`
    const checks = ['{ kind: own, request: https://www.example/x }', '{ kind: own, request: ftp://a/x }']
    assert.deepEqual(await problemsOf({ object, checks }), [
      '5:66 warning URL_REQUEST request is a path, and this URL would be sent as one; write request: /x and virtualhost: www.example',
    ])
    assert.deepEqual(await problemsOf({ object: object.replace('scheme', 'other'), checks }), [])
  })

  it('must be said in the right way', async () => {
    for (const object of [`connects: 'no',`, `scheme: 'http://',`])
      assert.match(
        (await problemsOf({ object, checks: connecting }))[0] ?? '',
        /own\.mjs: `check\.(connects|scheme)` is invalid: /,
      )
  })
})

describe('user-kinds: a folder with a file that does not load', () => {
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

  it('is told, with what takes the place of a kind of ours', async () => {
    const more = { 'ping.mjs': fileOf('ping', {}) }
    const problems = await problemsOf({ checks: ['{ kind: ping, word: x }'], more })
    assert.deepEqual(problems.map(brief), ['2:12 warning CHECK_REPLACED'])
    assert.match(problems[0] as string, /ping\.mjs: it replaces lvsd's kind "ping" under the name "ping"/)
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
