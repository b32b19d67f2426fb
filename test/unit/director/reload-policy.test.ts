import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import type { Problem } from '../../../src/config/problems/problem.js'
import { countRemovals, errorsText, mayBePart, refusalReason } from '../../../src/director/reload-policy.js'
import { loadCf } from '../../support/config/ldirectord-site.js'
import { temporaryFolder } from '../../support/folder.js'
import { config, named, real, service, serviceId } from '../../support/tables.js'

type Files = Readonly<Record<string, string | null>>

const REALS = ['fd00:1::a', 'fd00:1::b', 'fd00:1::c'].map(host => real(host))
const site = (name: string, count: number) => config([service(name, { reals: REALS.slice(0, count) })])

describe('reload-policy: what a configuration takes away', () => {
  it('counts real servers that are gone', () => {
    assert.deepEqual(countRemovals(site('web', 3), site('web', 1)), { removed: 2, before: 3 })
  })

  it('counts all of a service that is gone', () => {
    assert.deepEqual(countRemovals(site('web', 3), config([])), { removed: 3, before: 3 })
  })

  it('does not count a service that only has another name', () => {
    assert.deepEqual(countRemovals(site('web', 3), site('www', 3)), { removed: 0, before: 3 })
  })

  it('tells services of one name by port and protocol', () => {
    const vip = (port: number, protocol: 'tcp' | 'udp' = 'tcp') => {
      const { virtual, id } = named('vip', null, port)
      return service(`web${port}${protocol}`, { virtual: { ...virtual, protocol }, id, reals: REALS })
    }
    const all = config([vip(80), vip(443), vip(443, 'udp')])
    assert.deepEqual(countRemovals(all, config([vip(443)])), { removed: 6, before: 9 })
  })

  it('counts a service that moves to another address', () => {
    const moved = config([service('web', { id: serviceId('2001:db8::81'), reals: REALS })])
    assert.deepEqual(countRemovals(site('web', 3), moved), { removed: 3, before: 3 })
  })
})

describe('reload-policy: a YAML file that removes most real servers', () => {
  const loaded = (count: number) => ({
    config: site('web', count),
    checks: new Map(),
    problems: [],
    text: 'services: {}\n',
  })
  const running = { config: site('web', 3), text: '' }

  it('is refused by removal-limit, and taken where it is forced', () => {
    assert.match(
      refusalReason(loaded(1), running, false) ?? '',
      /remove 2 of 3 real servers \(web: \[fd00:1::b\]:80, \[fd00:1::c\]:80\), more than removal-limit/,
    )
    assert.equal(refusalReason(loaded(1), running, true), null)
    assert.equal(refusalReason(loaded(2), running, false), null)
  })
})

describe('reload-policy: an included file that has become empty', () => {
  const of = (name: string, number: number, ...reals: readonly string[]) =>
    `  ${name}: { virtual: '[2001:db8::${number}]:80', check: none, reals: [${reals.map(one => `'[fd00::${one}]'`).join(', ')}] }\n`
  const MAIN = `include: more/*.yaml\nservices:\n${of('web', 1, 'a', 'b', 'c')}`
  const MAIL = `services:\n${of('mail', 2, 'd')}`
  const DNS = `services:\n${of('dns', 3, 'e')}`

  /** Returns why the second state of the files is refused after the first; null is a file that is not there. */
  async function judged(before: Files, after: Files, isForced = false) {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'more'))
    const load = (files: Files) => {
      for (const [name, text] of Object.entries(files))
        if (text === null) rmSync(join(folder, name))
        else writeFileSync(join(folder, name), text)
      return loadConfig(join(folder, 'site.yaml'))
    }
    const { config, ...running } = await load({ 'site.yaml': MAIN, ...before })
    assert.ok(config)
    return (
      refusalReason(await load(after), { ...running, config }, isForced)?.replaceAll(`${folder}/`, '') ?? null
    )
  }

  const both = { 'more/mail.yaml': MAIL, 'more/dns.yaml': DNS }

  it('is refused where real servers are lost, with its name, and taken where it is forced', async () => {
    for (const text of ['', '\n', '# mail is to follow\n'])
      assert.equal(
        await judged(both, { 'more/mail.yaml': text }),
        'more/mail.yaml is empty, comments aside, and it would remove 1 of 5 real servers (mail: [fd00::d]:80); the running configuration stays. If it is meant: delete the file before lvsd reload, or lvsd reload --force',
      )
    assert.match(
      (await judged(both, { 'more/mail.yaml': '', 'more/dns.yaml': '' })) ?? '',
      /^more\/dns\.yaml and 1 more file are empty, comments aside, .*2 of 5.*delete these files/,
    )
    assert.equal(await judged(both, { 'more/mail.yaml': '' }, true), null)
  })

  it('is taken where no server is lost, it was empty before, or the file is deleted', async () => {
    assert.equal(await judged(both, { 'more/mail.yaml': '', 'more/new.yaml': MAIL }), null)
    assert.equal(await judged({ ...both, 'more/old.yaml': '' }, { 'more/mail.yaml': null }), null)
    assert.equal(await judged(both, { 'more/mail.yaml': null, 'more/new.yaml': '# nothing yet\n' }), null)
  })
})

describe('reload-policy: what is told of errors', () => {
  const problem = (code: string, message: string, file = '/etc/lvsd.yaml', line = 1): Problem => ({
    severity: 'error',
    code,
    message,
    file,
    at: { line, column: 1, length: 1 },
  })
  const gone = problem('FILE_UNREADABLE', 'there is no such file')
  const include = problem(
    'BAD_INCLUDE',
    '/etc/mail.yaml cannot be included: there is no such file',
    gone.file,
    2,
  )
  const wrong = problem('UNKNOWN_KEY', 'there is no key "x"')
  const ofPart = { ...wrong, file: 'parts/web.yaml' }
  const cases: [readonly Problem[], string][] = [
    [[gone], '/etc/lvsd.yaml: there is no such file'],
    [[include], '/etc/lvsd.yaml:2:1 /etc/mail.yaml cannot be included: there is no such file'],
    [
      [wrong, include, wrong],
      '/etc/lvsd.yaml:2:1 /etc/mail.yaml cannot be included: there is no such file (and 2 more errors)',
    ],
    [[wrong], '1 error in the file'],
    [[{ ...ofPart, severity: 'warning' }, wrong, wrong], '2 errors in the file'],
    [[ofPart], '1 error in parts/web.yaml'],
    [[ofPart, wrong], '2 errors in 2 files'],
  ]
  for (const [problems, text] of cases)
    it(text, () => assert.equal(errorsText(problems, '/etc/lvsd.yaml'), text))
})

describe('reload-policy: a configuration that may be half of one', () => {
  const loaded = (count: number, text: string, severity?: 'error') => ({
    config: severity ? null : site('web', count),
    checks: new Map(),
    problems: [],
    text,
  })
  const running = loaded(2, 'a\nb\nc\n')
  const cases: [string, ReturnType<typeof loaded>, boolean][] = [
    ['has lost a server', loaded(1, 'a\nb\nc\nd\n'), true],
    ['has lost a line', loaded(2, 'a\nb\n'), true],
    ['has neither', loaded(2, 'x\ny\nz\n'), false],
    ['has more of both', loaded(3, 'a\nb\nc\nd\n'), false],
    ['is refused anyway', loaded(0, 'a\n', 'error'), false],
  ]
  for (const [what, next, expected] of cases)
    it(`${what}: ${expected}`, () => assert.equal(mayBePart(next, running), expected))

  it('has its included files counted', () => {
    const with1 = { ...running, included: [{ path: 'x', text: 'a\nb\n' }] }
    assert.equal(mayBePart(running, with1), true)
    assert.equal(mayBePart(with1, running), false)
  })
})

describe('reload-policy: an ldirectord.cf that removes most real servers', () => {
  const WEB = 'virtual6=[2001:db8::80]:80\n\tservice=http\n'
  const WEB_REALS = ['a', 'b', 'c'].map(n => `\treal6=[fd00:1::${n}]:80 masq\n`)
  const DNS = 'virtual6=[2001:db8::53]:53\n\treal6=[fd00:1::d]:53 masq\n\tprotocol=udp\n'
  const BEFORE = `checkinterval=3\n${WEB}${WEB_REALS.join('')}${DNS}`

  const cases: [what: string, text: string, isTaken: boolean][] = [
    ['is taken, as by ldirectord', `${WEB}${WEB_REALS[0]}${DNS}`, true],
    ['is taken where only the first virtual is left', `checkinterval=3\n${WEB}${WEB_REALS.join('')}`, true],
    ['is taken where all servers are others', `${WEB}\treal6=[fd00:1::f]:80 masq\n`, true],
    ['is refused where it ends within a line', BEFORE.slice(0, BEFORE.indexOf('::b]') + 4), false],
    ['is refused where it ends within a section', `checkinterval=3\n${WEB}${WEB_REALS[0]}`, false],
    ['is refused where another one ends within a line', `${WEB}\treal6=[fd00:1::9]:80 masq`, false],
    ['is refused where nothing is left but a comment', '# to be written\n', false],
    ['is refused where no virtual is left', 'checkinterval=3\n', false],
  ]
  for (const [what, text, isTaken] of cases)
    it(what, async () => {
      const before = await loadCf(BEFORE)
      assert.ok(before.config)
      const running = { config: before.config, text: BEFORE }
      const next = await loadCf(text)
      assert.equal(
        refusalReason(next, running, false) === null,
        isTaken,
        refusalReason(next, running, false) ?? '',
      )
    })

  it('is taken though it looks cut off where that is forced', async () => {
    const before = await loadCf(BEFORE)
    assert.ok(before.config)
    const next = await loadCf(`checkinterval=3\n${WEB}${WEB_REALS[0]}`)
    assert.match(refusalReason(next, { config: before.config, text: BEFORE }, false) ?? '', /cut off.*3 of 4/)
    assert.equal(refusalReason(next, { config: before.config, text: BEFORE }, true), null)
  })
})
