import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { markOf } from '../../../src/check/option-types.js'
import { type Loaded, loadConfig } from '../../../src/config/load.js'
import { loadConfigApart } from '../../../src/config/load-apart.js'
import { type KnownText, loadChanged } from '../../../src/config/load-changed.js'
import { defaultsFields } from '../../../src/config/schema/schema.js'
import { type Edit, edit, edited, type Site, site } from '../../support/config/edited-sites.js'
import { LDIRECTORD_CF } from '../../support/config/edited-virtuals.js'
import { FORMS } from '../../support/config/forms.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

async function known(file: string, text: string): Promise<KnownText> {
  const { config, ...loaded } = await loadConfig(file, { text })
  assert.ok(config)
  return { ...loaded, config }
}

/** What both readings must have alike. */
function compared({ config, problems, text, included, patterns, hiding }: Loaded) {
  const hidden = new Set(hiding?.hidden.map(place => JSON.stringify(place)))
  return { config, problems, text, included, patterns, hidden }
}

const ONE = `services:
  web:
    virtual: '[2001:db8::1]:80'
    check: http
    reals: ['[2001:db8:1::11]:80']
`
const with2 = (...lines: readonly string[]) => `${ONE}  mail:\n${lines.map(line => `    ${line}\n`).join('')}`
const TWO = with2("virtual: '[2001:db8::2]:110'", 'check: pop', "reals: ['[2001:db8:1::12]:110']")

/** Compares what is read in part with all of it, and returns what runs then; counts how often it was read in part. */
function comparing(file: string) {
  let readInPart = 0
  const step = async (before: KnownText | null, text: string): Promise<KnownText | null> => {
    const whole = await loadConfig(file, { text })
    const part = before && (await loadChanged(file, text, before))
    if (part) {
      readInPart++
      assert.deepEqual(compared(part), compared(whole))
      assert.ok([...whole.checks].every(([name, check]) => part.checks.get(name) === check))
      assert.deepEqual(part.reuse?.plain, whole.reuse?.plain)
      assert.ok((part.reuse?.values ?? 0) >= (whole.reuse?.values ?? Number.POSITIVE_INFINITY))
      assert.ok(Object.isFrozen(part.config) && Object.isFrozen(part.config?.services))
    }
    const next = part ?? whole
    return next.config ? { ...next, config: next.config } : before
  }
  return { step, count: () => readInPart }
}

/** Lines of the real server with this number, and wrong or odd ones in its place. */
const RIGHT: readonly ((i: number) => string)[] = [
  i => `- '[2001:db8:1::${i}]:80 masq 1'`,
  i => `- '[2001:db8:1::${i}]:80 masq 0'`,
  i => `- "[2001:db8:1::${i}]:80 gate 30"`,
  i => `- { address: '[2001:db8:1::${i}]:80', weight: 2 }`,
  i => `- { address: "[2001:db8:1::${i}]:80", forwarding: ipip }`,
  i => `- 192.0.2.${i}:80 ipip 6`,
]
const ODD: readonly ((i: number) => string)[] = [
  i => `- { address: '[2001:db8:1::${i}]:80', check: connect }`,
  i => `- 192.0.2.${i}:80 gate 6`,
  i => `- '[2001:db8:1::${i}]:80 masq 1' # a comment`,
  i => `- '[2001:db8:1::${i}-${i + 2}]:80 masq 1'`,
  i => `- '[2001:db8:1::${i}]:81 gate'`,
  i => `- { address: ['[2001:db8:1::${i}]:80', '192.0.2.${i}:80'] }`,
  i => `- address: '[2001:db8:1::${i}]:80'`,
  () => "- '[2001:db8:1::1]:80 masq 1'",
  () => "- 'open",
  () => '-',
  () => '- weight: 1',
  () => '# a comment',
]

const right = fc.constantFrom(...RIGHT)
const odd = fc.constantFrom(...ODD)
const SERVICE_ENDS = [
  '',
  '    scheduler: wrr\n',
  '    slow-start: { for: 60s }\n    scheduler: wlc\n',
  "    windows: [{ at: '0 2 * * sun', for: 2h, reals: ['[2001:db8:1::1]:80'] }]\n",
]

describe('load-changed: reads the services that have changed', function () {
  this.timeout(120_000)

  const LANGUAGES = {
    'site.yaml': { language: undefined, least: 8 },
    'site.cf': { language: LDIRECTORD_CF, least: 4 },
  }
  for (const [name, { language, least }] of Object.entries(LANGUAGES))
    it(`is equal to reading all of ${name}, or refuses, whatever the edits`, async () => {
      const file = join(temporaryFolder(), name)
      const password = temporaryFile('password', 'secret\n')
      const { step, count } = comparing(file)
      await fc.assert(
        fc.asyncProperty(
          site,
          fc.array(fc.array(edit, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
          async (first: Site, rounds: readonly (readonly Edit[])[]) => {
            let at = edited(first, [], password, language)
            let running = await step(null, at.text)
            for (const edits of rounds) {
              at = edited(at.site, edits, password, language)
              running = await step(running, at.text)
            }
          },
        ),
        { numRuns: 100 },
      )
      assert.ok(count() > least, `${count()}`)
    })

  it('is equal to reading all, or refuses, whatever lines of real servers change', async () => {
    const { step, count } = comparing('site.yaml')
    const textOf = (services: readonly (typeof service extends fc.Arbitrary<infer T> ? T : never)[]) =>
      `defaults: { check: { kind: http, receive: OK } }\nservices:\n${services
        .map(({ reals, end }, i) => {
          const lines = reals.map((line, j) => `      ${line(j + 1)}\n`).join('')
          return `  web${i}:\n    virtual: '[2001:db8::${i}]:80'\n    reals:\n${lines}${end}`
        })
        .join('')}`
    const service = fc.record({
      reals: fc.array(right, { minLength: 1, maxLength: 4 }),
      end: fc.constantFrom(...SERVICE_ENDS),
    })
    const change = fc.record({
      service: fc.nat(2),
      at: fc.nat(3),
      to: fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: odd }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(service, { minLength: 1, maxLength: 3 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        async (first, changes) => {
          let services = first
          let running = await step(null, textOf(services))
          for (const { service: i, at, to } of changes) {
            services = services.map(({ reals, end }, j) =>
              j === i % services.length ? { end, reals: reals.with(at % reals.length, to) } : { end, reals },
            )
            running = await step(running, textOf(services))
          }
        },
      ),
      { numRuns: 200 },
    )
    assert.ok(count() > 30, `${count()}`)
  })

  it('takes the objects of the services that are the same', async () => {
    const [file, text] = FORMS['block YAML']?.(1000) ?? ['', '']
    const before = await known(file, text)
    const next = await loadChanged(file, text.replace('weight: 2', 'weight: 9'), before)
    const [first, ...others] = next?.config?.services ?? []
    assert.equal(first?.reals[0]?.attributes.weight, 9)
    assert.deepEqual(
      others.map((service, i) => service === before.config.services[i + 1]),
      others.map(() => true),
    )
    assert.equal(others.length, before.config.services.length - 1)
  })

  it('reads the lines of real servers alone where nothing but their attributes has changed', async () => {
    const reals = Array.from(
      { length: 3000 },
      (_, i) => `      - '[2001:db8:1::${(i + 1).toString(16)}]:80 masq 1'\n`,
    )
    const text = `services:
  web:
    virtual: '[2001:db8::1]:80'
    check: { kind: http, receive: OK }
    reals:
${reals.join('')}    scheduler: wrr
`
    const before = await known('site.yaml', text)
    const service = before.config.services[0]
    const next = await loadChanged('site.yaml', text.replace('::7]:80 masq 1', '::7]:80 gate 9'), before)
    const [changed, ...others] = next?.config?.services ?? []
    assert.deepEqual(others, [])
    assert.deepEqual(changed?.reals[6]?.attributes, {
      ...service?.reals[6]?.attributes,
      forwarding: 'gate',
      weight: 9,
    })
    assert.ok(changed?.reals.every((real, i) => i === 6 || real === service?.reals[i]))
    assert.equal(changed?.reals[6]?.checks, service?.reals[0]?.checks)
    assert.ok(
      Object.isFrozen(changed) && Object.isFrozen(changed?.reals) && Object.isFrozen(changed?.reals[6]),
    )
    // What has to be read as a whole is too long for this.
    for (const other of ['::7]:81 masq 1', '::8]:80 masq 1', '::7]:80 masq 1 # one', '::7]:80 masq 1 5'])
      assert.equal(await loadChanged('site.yaml', text.replace('::7]:80 masq 1', other), before), null, other)
  })

  it('is followed by reading all of a short text here, and in the thread where it is long or names files', async () => {
    const file = join(temporaryFolder(), 'site.yaml')
    const before = await known(file, TWO)
    const readApart = async (text: string) => {
      writeFileSync(file, text)
      const apart = await loadConfigApart(file, {}, undefined, before)
      assert.deepEqual(compared(apart), compared(await loadConfig(file)))
      // The thread alone gives digests.
      return apart.digests !== undefined
    }
    const head = 'settings: { resync: 20s }\n'
    assert.equal(await readApart(`${head}${TWO}`), false)
    assert.equal(await readApart(`${head}${TWO.replace('check: pop', 'chek: pop')}`), false)
    assert.equal(await readApart(`${head}${TWO}# ${'long '.repeat(4000)}\n`), true)
    assert.equal(await readApart(`x-port: &port 80\n${head}${TWO}`), true)
    assert.equal(await readApart(`include: other.yaml\n${TWO}`), true)
    assert.equal(await readApart(`settings: { checks: [folder] }\n${TWO}`), true)
    const password = temporaryFile('password', 'secret\n')
    const secret = TWO.replace('check: pop', `check: { kind: pop, login: a, passwd: { file: ${password} } }`)
    assert.equal(await readApart(`${head}${secret}`), true)
  })

  it('refuses while a service names a file: the reading thread may wait for a file server, and no other', async () => {
    const password = temporaryFile('password', 'first\n')
    const file = join(temporaryFolder(), 'site.yaml')
    const text = with2(
      "virtual: '[2001:db8::2]:110'",
      `check: { kind: pop, login: a, passwd: { file: ${password} } }`,
      "reals: ['[2001:db8:1::12]:110']",
    )
    const before = await known(file, text)
    writeFileSync(password, 'second\n')
    assert.equal(await loadChanged(file, text.replace('::11', '::13'), before), null)
    const plain = await known(file, TWO)
    assert.equal(await loadChanged(file, text, plain), null, 'a new service names one')
    const loaded = await loadConfigApart(file, { text }, undefined, before)
    assert.equal(loaded.config?.services[1]?.reals[0]?.checks[0]?.options.passwd, 'second')
  })

  it('refuses while a service starts a program, which is looked for', async () => {
    const text = with2(
      "virtual: '[2001:db8::2]:110'",
      'check: { kind: external, checkcommand: /bin/true }',
      "reals: ['[2001:db8:1::12]:110']",
    )
    assert.equal(
      await loadChanged('site.yaml', text.replace('::11', '::13'), await known('site.yaml', text)),
      null,
    )
  })

  it('keeps no digest of a service that it has read again', async () => {
    const before = {
      ...(await known('site.yaml', TWO)),
      digests: new Map([
        ['web', '1'],
        ['mail', '2'],
      ]),
    }
    const next = await loadChanged('site.yaml', TWO.replace('::12', '::13'), before)
    assert.deepEqual(next?.digests, new Map([['web', '1']]))
  })

  it('needs no digest of the parts of a service with several ports after a change', async () => {
    const text = with2(
      "virtual: '[2001:db8::2]'",
      'ports: [80, 443]',
      'check: connect',
      "reals: ['[2001:db8:1::12]']",
    )
    const loaded = await known('site.yaml', text)
    const names = loaded.config.services.map(({ name }) => name)
    assert.equal(names.length, 3)
    const before = { ...loaded, digests: new Map(names.map(name => [name, name])) }
    const next = await loadChanged('site.yaml', text.replace('::12', '::13'), before)
    assert.deepEqual(next?.digests, new Map([['web', 'web']]))
  })

  const REFUSED: Readonly<Record<string, (text: string) => string>> = {
    'the defaults have changed': text => `defaults: { scheduler: rr }\n${text}`,
    'the settings below have changed': text => `${text}settings: { autoreload: true }\n`,
    'a name stands twice': text => `${text}${text.slice('services:\n'.length)}`,
    'a service collides with one that is the same': text => text.replace('::2]:110', '::1]:80'),
    'a service has a mistake': text => text.replace('check: pop', 'chekc: pop'),
    'a service has an anchor': text => text.replace('check: pop', 'check: &pop pop'),
    'a service has a warning': text => text.replace('check: pop', 'check: { kind: pop, interval: 5ms }'),
    'all services have changed': text => text.replaceAll('::1', '::4'),
    'no service is left': () => 'services:\n',
  }
  for (const [when, change] of Object.entries(REFUSED))
    it(`refuses if ${when}`, async () => {
      assert.equal(await loadChanged('site.yaml', change(TWO), await known('site.yaml', TWO)), null)
    })

  it('refuses as soon as the known values may be too many together', async () => {
    const before = await known('site.yaml', TWO)
    const plain = before.reuse?.plain ?? new Set()
    const nearly = { ...before, reuse: { plain, values: 999_999, isWhole: true } }
    assert.equal(await loadChanged('site.yaml', TWO.replace('::12', '::13'), nearly), null)
  })

  it('takes the virtuals of an ldirectord.cf that are the same, with their notes at the lines where they are now', async () => {
    const [file, text] = FORMS['ldirectord.cf']?.(200) ?? ['', '']
    const before = await known(file, text)
    const next = await loadChanged(file, text.replace('masq 2', 'masq 9\n\tscheduler=rr'), before)
    const [first, ...others] = next?.config?.services ?? []
    assert.equal(first?.reals[0]?.attributes.weight, 9)
    assert.ok(others.length === 3 && others.every((one, i) => one === before.config.services[i + 1]))
    const lines = before.problems.map(({ at }) => at.line)
    assert.deepEqual(
      next?.problems.map(({ at }) => at.line),
      lines.map((line, i) => (i === 0 ? line : line + 1)),
    )
  })

  it('never moves a problem of the whole text with the first virtual, where no global part is before it', async () => {
    const virtual = (i: number) =>
      `virtual6=[2001:db8::${i}]:80\n\treal6=[2001:db8:1::${i}]:80 gate\n\tchecktype=connect\n`
    const text = `${virtual(1).replace('gate\n', 'gate\r\n')}${virtual(2)}`
    const before = await known('site.cf', text)
    assert.deepEqual(
      before.problems.map(({ code, at }) => [code, at.line]),
      [['CARRIAGE_RETURNS', 1]],
    )
    assert.equal(await loadChanged('site.cf', `${virtual(3)}${text}`, before), null)
  })

  it('refuses an ldirectord.cf that was read on a machine of another name', async () => {
    const [file, text] = FORMS['ldirectord.cf']?.(200) ?? ['', '']
    const before = await known(file, text)
    const { plain = new Set<string>(), values = 0 } = before.reuse ?? {}
    const elsewhere = { ...before, reuse: { plain, values, hostname: 'elsewhere', isWhole: true } }
    assert.equal(await loadChanged(file, text.replace('masq 2', 'masq 9'), elsewhere), null)
  })

  it('refuses a configuration that was not read from one text, or in which it does not know what follows from what', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'more.yaml'), TWO)
    const file = join(folder, 'site.yaml')
    const included = await loadConfig(file, { text: "include: 'more*.yaml'\n" })
    assert.deepEqual([included.problems, included.reuse], [[], undefined])
    const warned = await loadConfig(file, {
      text: TWO.replace('check: pop', 'check: { kind: pop, interval: 5ms }'),
    })
    assert.deepEqual([warned.problems.length, warned.reuse], [1, undefined])
    const [cf, text] = FORMS['ldirectord.cf']?.(100) ?? ['', '']
    const alike = text.replaceAll('\tservice=http', '\tservicename=web\n\tservice=http')
    assert.equal((await loadConfig(cf, { text: alike })).reuse, undefined)
  })

  it('has no secrets in the defaults, which it takes to follow from the text', () => {
    const withSecrets = Object.entries(defaultsFields).filter(([, type]) => markOf(type).secret)
    assert.deepEqual(withSecrets, [])
  })
})
