/** Who gets mails, in YAML and in an ldirectord.cf. */
import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'
import type { MailPolicy } from '../../../src/config/schema/model-keys.js'
import { bareAddress, isMailAddress, readMailServer, splitAddresses } from '../../../src/core/mail-address.js'
import { problemsOf, serviceOf, siteWith } from '../../support/config/config-of.js'
import { afterImport, loadCf, REAL, site } from '../../support/config/ldirectord-site.js'

const ALWAYS = ['starting', 'running', 'reloading', 'stopping'] as const
const POLICY: MailPolicy = { to: ['ops@example.com'], from: null, repeat: null, during: ALWAYS, server: null }
const REALS = ["reals: ['[2001:db8:1::1]:80']", 'check: none']

async function mailOf(...lines: readonly string[]) {
  return (await serviceOf(siteWith(...REALS, ...lines))).mail
}

async function mailUnder(defaults: string, ...lines: readonly string[]) {
  return (await serviceOf(`defaults:\n  mail: ${defaults}\n${siteWith(...REALS, ...lines)}`)).mail
}

describe('mail in YAML', () => {
  it('is null without recipients', async () => {
    assert.equal(await mailOf(), null)
    assert.equal(await mailUnder('{ server: mail.example.com }'), null)
    assert.equal(await mailUnder('none'), null)
    assert.equal(await mailUnder('ops@example.com', 'mail: none'), null)
    assert.equal(await mailUnder('ops@example.com', 'mail: { to: [] }'), null)
  })

  it('may be only the recipients', async () => {
    assert.deepEqual(await mailOf('mail: ops@example.com'), POLICY)
    assert.deepEqual(await mailOf('mail: [ops@example.com]'), POLICY)
    assert.deepEqual(await mailUnder('ops@example.com'), POLICY)
  })

  it('has a sender, a repetition, times and a server', async () => {
    const mail = await mailOf(
      'mail:',
      '  to: [root, "Op <OPS@example.com>", ops@example.com]',
      '  from: lvsd <lvsd@example.com>',
      '  repeat: 10m',
      '  during: [stopping, running]',
      "  server: '[2001:db8::25]:587'",
    )
    assert.deepEqual(mail, {
      to: ['root', 'Op <OPS@example.com>'],
      from: 'lvsd <lvsd@example.com>',
      repeat: 600_000,
      during: ['running', 'stopping'],
      server: { host: '2001:db8::25', port: 587 },
    })
  })

  it('is merged with that of defaults, key by key', async () => {
    const defaults = '{ to: ops@example.com, repeat: 1h, during: none, server: mail }'
    const mail = await mailUnder(defaults, 'mail: { repeat: none, during: all, server: sendmail }')
    assert.deepEqual(mail, POLICY)
    assert.deepEqual(await mailUnder(defaults, 'mail: [web@example.com]'), {
      ...POLICY,
      to: ['web@example.com'],
      repeat: 3_600_000,
      during: [],
      server: { host: 'mail', port: 25 },
    })
  })

  it('names a service by its label and comment', async () => {
    const { label, comment } = await serviceOf(siteWith(...REALS, 'label: Shop front', 'comment: call Ann'))
    assert.deepEqual([label, comment], ['Shop front', 'call Ann'])
  })

  const WRONG: readonly [string, string, string][] = [
    ['an address that is none', 'mail: ops@', '6:11 BAD_VALUE'],
    ['one of several', 'mail: { to: [a@b.example, "c d"] }', '6:31 BAD_VALUE'],
    ['a sender', 'mail: { to: a@b.example, from: "@" }', '6:36 BAD_VALUE'],
    ['a time', 'mail: { to: a@b.example, repeat: often }', '6:38 BAD_VALUE'],
    ['a word', 'mail: { to: a@b.example, during: [runing] }', '6:38 BAD_VALUE'],
    ['a server', 'mail: { to: a@b.example, server: "[::1" }', '6:38 BAD_VALUE'],
    ['a port', 'mail: { to: a@b.example, server: "mail:0" }', '6:38 BAD_VALUE'],
    ['a key', 'mail: { too: a@b.example }', '6:13 UNKNOWN_KEY'],
    ['nobody', 'mail: { repeat: 10m }', '6:5 MAIL_TO_NOBODY'],
    ['a label of two lines', 'label: "a\\nb"', '6:12 BAD_VALUE'],
  ]
  for (const [phrase, line, problem] of WRONG)
    it(`reports an error: ${phrase}`, async () => {
      assert.ok(
        (await problemsOf(siteWith(...REALS, line))).includes(problem),
        `${await problemsOf(siteWith(...REALS, line))}`,
      )
    })
})

describe("mail: a word of ldirectord's in YAML", () => {
  const CASES: readonly [string, RegExp][] = [
    ['emailalert: a@b.example', /write mail: \{ to: … \}/],
    ['mail: { to: a@b.example, emailalertfreq: 600 }', /write repeat/],
  ]
  for (const [line, advice] of CASES)
    it(`is reported with the key to use: ${line}`, async () => {
      const { problems } = await loadConfig('site.yaml', { text: siteWith(...REALS, line) })
      assert.match(problems.map(({ message }) => message).join(), advice)
    })
})

describe('mail in an ldirectord.cf', () => {
  const cf = async (globals: string, section = '') => {
    const loaded = await loadCf(site(section === '' ? REAL : `${REAL}\n${section}`, { globals }))
    assert.deepEqual(await afterImport(loaded), loaded.config)
    const [service] = loaded.config?.services ?? []
    assert.ok(service)
    return service
  }

  it('is sent to several recipients', async () => {
    for (const line of ['"a@b.example, c@d.example"', 'a@b.example,c@d.example', 'a@b.example c@d.example'])
      assert.deepEqual((await cf(`emailalert=${line}`)).mail?.to, ['a@b.example', 'c@d.example'])
  })

  it('has all settings of ldirectord', async () => {
    const globals = [
      'emailalert="ops@example.com"',
      'emailalertfrom="ldirectord Alerts" <alerts@example.com>',
      'emailalertfreq=600',
      'emailalertstatus=running, stopping',
      'smtp=mail.example.com',
    ]
    assert.deepEqual((await cf(globals.join('\n'))).mail, {
      to: ['ops@example.com'],
      from: '"ldirectord Alerts" <alerts@example.com>',
      repeat: 600_000,
      during: ['running', 'stopping'],
      server: { host: 'mail.example.com', port: 25 },
    })
  })

  it('uses the settings of the virtual, and the rest from the global part', async () => {
    const globals = 'emailalert=ops@example.com\nemailalertfreq=600\nemailalertstatus=none\nsmtp=mail'
    const section = 'emailalert=web@example.com\nemailalertfreq=0\nemailalertstatus=all\nsmtp=[2001:db8::25]'
    assert.deepEqual((await cf(globals, section)).mail, {
      to: ['web@example.com'],
      from: null,
      repeat: null,
      during: ALWAYS,
      server: { host: '2001:db8::25', port: 25 },
    })
    assert.equal((await cf(globals, 'smtp=other')).mail?.to[0], 'ops@example.com')
  })

  it('is not sent without recipients', async () => {
    assert.equal((await cf('smtp=mail')).mail, null)
  })

  it('names the service by servicename and comment', async () => {
    const { name, label, comment } = await cf('', 'servicename=Shop front\ncomment=call the web team')
    assert.deepEqual([name, label, comment], ['Shop-front', 'Shop front', 'call the web team'])
    const plain = await cf('')
    assert.deepEqual([plain.label, plain.comment], [null, null])
  })
})

describe('mail address', () => {
  it('may have a display name, and needs no domain', () => {
    const right = [
      'root',
      'a@b',
      'a.b+c@d.example',
      '<a@b>',
      'Ann <a@b>',
      '"Doe, Ann" <a@b>',
      'a@[192.0.2.1]',
    ]
    const wrong = ['', '@', 'a@', '@b', '-f@b', 'a b', 'a@b@c', 'a@b,c@d', 'a<b@c', 'Ann <>', 'a\r@b', '<-x>']
    assert.deepEqual(
      right.filter(text => !isMailAddress(text)),
      [],
    )
    assert.deepEqual(wrong.filter(isMailAddress), [])
    assert.equal(bareAddress('"Doe, Ann" <a@b>'), 'a@b')
  })

  it('may be in a list on one line', () => {
    const line = '"Doe, Ann" <a@b>, Bob Roe <b@c>; root c@d,,'
    assert.deepEqual(splitAddresses(line), ['"Doe, Ann" <a@b>', 'Bob Roe <b@c>', 'root', 'c@d'])
  })
})

describe('mail server', () => {
  const CASES: readonly [string, ReturnType<typeof readMailServer>][] = [
    ['mail.example.com', { host: 'mail.example.com', port: 25 }],
    ['mail:587', { host: 'mail', port: 587 }],
    ['192.0.2.25:2525', { host: '192.0.2.25', port: 2525 }],
    ['2001:db8::25', { host: '2001:db8::25', port: 25 }],
    ['[2001:db8::25]', { host: '2001:db8::25', port: 25 }],
    ['[2001:db8::25]:465', { host: '2001:db8::25', port: 465 }],
    ['mail:smtp', null],
    ['mail:0', null],
    ['mail:65536', null],
    ['', null],
    ['a b', null],
  ]
  for (const [text, server] of CASES)
    it(`is read: "${text}"`, () => assert.deepEqual(readMailServer(text), server))
})
