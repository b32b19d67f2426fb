/** Passwords that stand elsewhere, and such as are not shown. */
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLdirectord } from '../../../src/config/ldirectord/read-ldirectord.js'
import { ldirectordToYaml } from '../../../src/config/ldirectord/to-yaml.js'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { withoutSecrets } from '../../../src/config/secret-text.js'
import { secretNames, shownLines } from '../../../src/config/secrets.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { onCleanup } from '../../support/after-each.js'
import { loadCf, site } from '../../support/config/ldirectord-site.js'
import { temporaryFolder } from '../../support/folder.js'

/** A site with one check, in a folder with the file `pw`. */
async function load(check: string) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'pw'), 'open sesame\r\n')
  writeFileSync(join(folder, 'empty'), '\n')
  chmodSync(join(folder, 'pw'), 0o600)
  const file = join(folder, 'site.yaml')
  writeFileSync(
    file,
    `services:\n  web:\n    virtual: '[2001:db8::80]:110'\n    check: ${check}\n    reals: ['[2001:db8:1::11]:110']\n`,
  )
  return loadConfig(file)
}

async function optionsOf(check: string) {
  const { config, problems } = await load(check)
  assert.deepEqual(problems, [])
  return config?.services[0]?.reals[0]?.checks[0]?.options
}

async function shown(check: string): Promise<string> {
  return renderProblems(await load(check))
}

describe('secrets: a key that is near to the name of a secret', () => {
  it('is shown where it is a key of its own', async () => {
    const isSecret = secretNames((await loadChecks()).checks)
    const shownAs = (line: string) => withoutSecrets(line, isSecret)
    assert.equal(shownAs('settings: { socket: /run/a.sock }'), 'settings: { socket: /run/a.sock }')
    assert.equal(shownAs('  sekret: /run/a.sock'), '  sekret: ***********')
  })
})

describe('secrets: a password of a check', () => {
  it('comes from a file beside the configuration, without the line break', async () => {
    assert.equal((await optionsOf('{ kind: pop, login: u, passwd: { file: pw } }'))?.passwd, 'open sesame')
  })

  it('comes from a variable', async () => {
    process.env.LVSD_TEST_SECRET = 'sesame'
    onCleanup(() => delete process.env.LVSD_TEST_SECRET)
    const options = await optionsOf('{ kind: radius, login: u, secret: { env: LVSD_TEST_SECRET } }')
    assert.equal(options?.secret, 'sesame')
  })

  const MISSING: readonly [phrase: string, check: string, message: RegExp][] = [
    ['a file that is not there', 'passwd: { file: nope }', /passwd|nope: there is no such file/],
    ['a folder', 'passwd: { file: . }', /this is a folder, not a file/],
    ['an empty file', 'passwd: { file: empty }', /the file empty is empty/],
    ['a variable that is not there', 'passwd: { env: LVSD_NOT_THERE }', /no variable LVSD_NOT_THERE/],
    ['another key', 'passwd: { path: pw }', /expected the password, \{ file: PATH \} or \{ env: NAME \}/],
    ['two keys', 'passwd: { file: pw, env: HOME }', /expected the password/],
  ]
  for (const [phrase, option, message] of MISSING)
    it(`is an error with ${phrase}`, async () => {
      const { config, problems } = await load(`{ kind: pop, login: u, ${option} }`)
      assert.equal(config, null)
      assert.deepEqual(
        problems.map(({ code, at }) => [code, at.line, at.column]),
        [['SECRET_MISSING', 4, 35]],
      )
      assert.match(problems[0]?.message ?? '', message)
    })

  it('is not missing where a mapping stands for one of several texts', async () => {
    const MAPPINGS: readonly [check: string, problem: RegExp][] = [
      [
        '{ kind: dialogue, steps: [{ expect: 220 }] }',
        /^4:38 WRONG_TYPE "steps" must be text, not a mapping/,
      ],
      ['{ kind: dialogue, steps: { expect: 220 } }', /^4:37 WRONG_TYPE "steps" must be a list$/],
      ['{ kind: http, headers: { A: { b: c } } }', /^4:40 WRONG_TYPE "A" must be text, not a mapping/],
      ['{ kind: dialogue, steps: [{ file: pw, env: A }] }', /^4:38 SECRET_MISSING expected the password/],
      ['{ kind: dialogue, steps: [{ file: nope }] }', /^4:38 SECRET_MISSING the password cannot be read/],
    ]
    for (const [check, problem] of MAPPINGS) {
      const { problems } = await load(check)
      const [told = '', ...more] = problems.map(
        ({ code, message, at }) => `${at.line}:${at.column} ${code} ${message}`,
      )
      assert.match(told, problem)
      assert.deepEqual(more, [])
    }
  })

  it('is not shown, whatever is wrong', async () => {
    const checks = [
      '{ kind: pop, login: u, passwd: 987123, foo: 1 }',
      '{ kind: pop, passwd: "987,123", login: 1 }',
      '{ kind: pop, login: 1, pasword: 987123 }',
      "{ kind: pop, login: 1, passwd: '987123' }",
    ]
    for (const check of checks) {
      const text = await shown(check)
      assert.match(text, /WRONG_TYPE|UNKNOWN_KEY/)
      assert.doesNotMatch(text, /987|123/, text)
    }
  })

  it('is not shown by a sentence of the YAML reader', async () => {
    for (const passwd of ['*hunter2', '> hunter2', '| hunter2', '>hunter2', '|5hunter2', '"hun"ter2']) {
      const text = `services:\n  web:\n    virtual: '[::1]:110'\n    check:\n      kind: pop\n      passwd: ${passwd}\n`
      const loaded = await loadConfig('site.yaml', { text })
      assert.equal(loaded.config, null)
      assert.doesNotMatch(
        `${renderProblems(loaded)}${JSON.stringify(loaded.problems)}`,
        /hunter|ter2/,
        passwd,
      )
    }
  })

  it('is not shown in the lines of an ldirectord.cf', async () => {
    const text = 'virtual=192.0.2.1:110\n\treal=198.51.100.1:110 masq\n\tlogin="u"\n\tpasswd=987#123\n'
    const loaded = await loadConfig('site.cf', { text })
    assert.match(renderProblems(loaded), /MISSING_QUOTES .*passwd = "…"/)
    assert.doesNotMatch(renderProblems(loaded), /987|123/)
  })
})

describe('secrets: an import', () => {
  it('says the same of a line once, and shows no password that no check uses', async () => {
    const text = site('real=198.51.100.1:80 masq 5 "l:1" "u:2"\nservice=http\npasswd="geheim"')
    const { checks } = await loadCf(text)
    const yaml = ldirectordToYaml(text, readLdirectord(text, 'site.cf', { checks }))
    assert.equal(yaml.match(/taken for a threshold/g)?.length, 1)
    assert.match(yaml, /passwd="\*{6}" -- passwd has no effect/)
    assert.doesNotMatch(yaml, /geheim/)
  })
})

const { checks } = await loadChecks([])

describe('secrets: a line without its passwords', () => {
  const LINES: readonly [line: string, expected: string][] = [
    ['passwd: hunter2', 'passwd: *******'],
    ['  passwd: two words # why', '  passwd: *** ***** * ***'],
    ['{ passwd: a b, secret: "c, d", login: e }', '{ passwd: * *, secret: "*, *", login: e }'],
    ['{ passwd: a, secret: b, foo: x }', '{ passwd: *, secret: *, foo: x }'],
    ['\tpasswd = "x y" junk', '\tpasswd = "* *" junk'],
    ['passwd: { file: /etc/pw }', 'passwd: { file: /etc/pw }'],
    ['"secret": "x", "login": "y"', '"secret": "*", "login": "y"'],
    ['password: x', 'password: *'],
    ['request: /passwd', 'request: /passwd'],
    ['passwd: "hun"ter2', 'passwd: "***"****'],
    ["passwd: 'hun'ter2", "passwd: '***'****"],
    ['passwd: {hunter2}x3', 'passwd: {*******}**'],
    ['passwd="hun"ter2', 'passwd="***"****'],
  ]
  for (const [line, expected] of LINES)
    it(`is as long: ${line}`, () => {
      assert.equal(withoutSecrets(line, secretNames(checks)), expected)
    })
})

describe('secrets: the lines of a text that cannot be parsed', () => {
  const isSecret = secretNames(checks)
  const shownOf = (text: string) => {
    const show = shownLines(text, { isSecret, hidden: [] })
    return text.split('\n').map((_, i) => show(i + 1))
  }

  const TEXTS: readonly [phrase: string, text: string][] = [
    ['a block scalar', 'passwd: |\n  hunter1\n\n    hunter2: "x\n  hunter3\nlogin: me'],
    ['a folded one in a list', '  - passwd: >-\n      hunter1\n      hunter2\n    login: me'],
    ['a block scalar that is not indented', 'passwd: |\nhunter1 x\nhunter2\nlogin: me'],
    ['a block scalar with a tag', 'passwd: !!str |2\n    hunter1\n  hunter2\nlogin: me'],
    ['double quotes', 'passwd: "hunter1\n  hunter2 \\" hunter3\n\n  hunter4"\nlogin: me'],
    ['double quotes, with less indentation', '    passwd: "hunter1\nhunter2: x\n - hunter3"\n    login: me'],
    ['single quotes', "passwd: 'hunter1 ''\nhunter2'' hunter3\nhunter4'\nlogin: me"],
    ['quotes that are never closed', 'passwd: "hunter1\nhunter2: 1\n- hunter3'],
    ['quotes that begin in the next line', 'passwd:\n  "hunter1\nhunter2"\nlogin: me'],
    ['quotes with a text behind them', 'passwd: "hunter1"hunter2\n  hunter3"\nlogin: me'],
    ['a plain text', 'passwd: hunter1\n  hunter2\n  hunter3: x\nlogin: me'],
    ['a plain text with a quote in it', 'passwd: hunter1\n  "hunter2\nlogin: me'],
    ['quotes in a mapping on one line', 'check: { kind: pop, passwd: "hunter1\n hunter2",\nlogin: me }'],
    ['a plain text in such a mapping', 'check: { passwd: hunter1\n hunter2, kind: pop }\nlogin: me'],
    ['a plain text in a mapping of several lines', 'check: {\n  passwd: hunter1\n  hunter2\n}\nlogin: me'],
    ['a mapping of secrets', 'headers: { A: hunter1,\nB: "hunter2 }",\nC: hunter3 }\nlogin: me'],
    [
      'a list of secrets',
      'steps:\n- "send hunter1\nhunter2: x"\n- expect hunter3\n- |\n  hunter4\nlogin: me',
    ],
    ['a list on several lines', 'steps: [\n"hunter1",\nhunter2 ]\nlogin: me'],
    ['a name without its colon', 'passwd hunter1\n  hunter2\nlogin: me'],
    ['an explicit key', '? passwd\n: |\n  hunter1\nlogin: me'],
    ['an anchor', 'x-a: &pw "hunter1\nhunter2"\nlogin: me\ncheck: { passwd: *pw }'],
    ['an anchor of a block scalar', 'x-a: &pw |\n  hunter1\nlogin: me\npasswd: *pw'],
    ['two secrets', 'passwd: "hunter1\nhunter2" , secret: "hunter3\nhunter4"\nlogin: me'],
    ['Windows line ends', 'passwd: "hunter1\r\nhunter2"\r\nlogin: me'],
  ]
  for (const [phrase, text] of TEXTS)
    it(`show no line of a secret: ${phrase}`, () => {
      const shown = shownOf(text)
      assert.doesNotMatch(shown.join('\n'), /hunter/, shown.join('\n'))
    })

  it('show the lines behind a secret', () => {
    for (const [phrase, text] of TEXTS.filter(([, text]) => text.includes('login: me')))
      assert.match(shownOf(text).join('\n'), /login: me/, phrase)
  })

  it('show what is no secret', () => {
    const text = '# passwd: "x\nlogin: "me\n  you"\npasswd: "x"\nrequest /\nvirtual: y\n  z\n'
    assert.deepEqual(shownOf(text).slice(1), text.replace('"x"', '"*"').split('\n').slice(1))
  })

  it('show the lines of a file of another program', () => {
    const text = 'auth {\nauth_pass hunter2\nvirtual_server 10.0.0.1 80 {\n see https://x\n or this\n'
    const isPass = (name: string) => name === 'auth_pass' || name === 'https'
    const show = shownLines(text, { isSecret: isPass, hidden: [] })
    assert.deepEqual([2, 3, 5].map(show), ['auth_pass *******', 'virtual_server 10.0.0.1 80 {', ' or this'])
  })

  it('are covered in a problem of such a file', async () => {
    const text = 'services:\n  web:\n    check:\n      kind: pop\n      passwd: "one\n  hun: ter: "x\n'
    const loaded = await loadConfig('site.yaml', { text })
    assert.match(renderProblems(loaded), /SYNTAX/)
    assert.doesNotMatch(`${renderProblems(loaded)}${JSON.stringify(loaded.problems)}`, /hun|ter:/)
  })
})

describe('shownLines: a long text', () => {
  const LENGTH = 200_000
  const parts = [
    'x',
    '-',
    ' ',
    ':',
    '"',
    '[',
    '&',
    '- ',
    '? ',
    '& ',
    'a: ',
    'a ',
    'http://a:',
    'password: ',
    'password: *a ',
    'password: {',
    'password: "',
    '\n  x',
  ]

  for (const part of parts)
    it(`of ${JSON.stringify(part)} costs time in proportion to its length`, () => {
      const long = part.repeat(LENGTH / part.length)
      const start = process.cpuUsage()
      for (const text of [long, `password: ${long}`, `password: |\n${long}`]) {
        const show = shownLines(text, { isSecret: name => name === 'password', hidden: [] })
        show(1)
        show(text.split('\n').length)
      }
      assert.ok(process.cpuUsage(start).user < 2_000_000)
    })
})
