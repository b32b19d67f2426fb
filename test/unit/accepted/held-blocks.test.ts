import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { isRunnable } from '../../../src/accepted/accepted.js'
import { heldIn, sumsOf } from '../../../src/accepted/held-blocks.js'
import { type Loaded, loadConfig } from '../../../src/config/load.js'
import { type Job, jobsOf, workOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { placementOf } from '../../../src/schedule/placement.js'
import { type Edit, edit, edited, type Language, type Site, site } from '../../support/config/edited-sites.js'
import { LDIRECTORD_CF } from '../../support/config/edited-virtuals.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

/** Returns what a director would ask of servers: by the ids of the jobs, with the names of their services. */
function asksOf(loaded: Loaded) {
  if (!isRunnable(loaded)) return null
  const { config } = resolveConfig(loaded.config, new Map())
  const { jobs, subscribers } = jobsOf(config, loaded.checks)
  const named = (id: string) =>
    subscribers.filter(({ jobId }) => jobId === id).map(({ service }) => service.name)
  return [...jobs.values()].map(job => ({ id: job.id, services: named(job.id), asks: askOf(job) }))
}

function askOf(job: Job) {
  const place = placementOf(workOf(job))
  const { interval, timeout } = job.use.policy
  return { interval, timeout, probe: place.kind === 'core' ? place.prepared.probe : null }
}

/** Compares the checks that a text has for certain with those that reading it gives. Returns how many there are, if it is another text. */
async function heldCount(file: string, before: string, now: string): Promise<number> {
  const loaded = await loadConfig(file, { text: before })
  const known = asksOf(loaded)
  const sums =
    known && loaded.config && loaded.reuse?.isWhole
      ? sumsOf(
          { file, text: before, services: loaded.config.services },
          known.map(({ services }) => services),
        )
      : null
  if (!known || !sums) return 0
  const held = heldIn(file, now, sums)
  assert.equal(held.length, known.length)
  // Where the text has errors the configuration of before runs, with all of its checks.
  const wanted = asksOf(await loadConfig(file, { text: now })) ?? known
  const asked = new Map(wanted.map(({ id, asks }) => [id, asks]))
  const begun = known.filter((_, i) => held[i])
  for (const { id, asks } of begun) assert.deepEqual(asked.get(id), asks, `${id} of\n${before}\nin\n${now}`)
  return before === now ? 0 : begun.length
}

/** Bodies that follow from the text alone, for both languages. */
const WHOLE = [0, 1, 2, 3, 4, 7, 9, 10, 11]
const whole = site.map(one => ({
  ...one,
  services: one.services.map(service => ({ ...service, body: WHOLE[service.body % WHOLE.length] ?? 0 })),
}))

const SITE = (...services: readonly string[]) =>
  `x-base: &base { check: http }\nservices:\n${services.join('')}`
const service = (name: string, n: number, more = '') =>
  `  ${name}:\n    virtual: '[2001:db8::${n}]:80'\n    check: http\n    reals: ['[2001:db8:1::${n}]:80']\n${more}`
const [WEB, MAIL, FTP] = [service('web', 1), service('mail', 2), service('ftp', 3)]
const VIRTUAL = (n: number, more = '') =>
  `virtual6=[2001:db8::${n}]:80\n\treal6=[2001:db8:1::${n}]:80 gate\n\tservice=http\n${more}\n`

async function heldBy(file: string, before: string, now: string): Promise<readonly boolean[]> {
  const loaded = await loadConfig(file, { text: before })
  const services = loaded.config?.services ?? []
  const sums = sumsOf(
    { file, text: before, services },
    services.map(({ name }) => [name]),
  )
  await heldCount(file, before, now)
  return heldIn(file, now, sums ?? assert.fail())
}

describe('held-blocks: which first checks a text has that has changed', function () {
  this.timeout(120_000)

  const LANGUAGES: Readonly<Record<string, Language | undefined>> = {
    'site.yaml': undefined,
    'site.cf': LDIRECTORD_CF,
    'site.conf': LDIRECTORD_CF,
  }
  for (const [name, language] of Object.entries(LANGUAGES))
    it(`are checks that reading all of ${name} gives, whatever the edits`, async () => {
      const file = join(temporaryFolder(), name)
      const password = temporaryFile('password', 'secret\n')
      let count = 0
      await fc.assert(
        fc.asyncProperty(
          whole,
          fc.array(edit, { minLength: 1, maxLength: 3 }),
          async (first: Site, edits: readonly Edit[]) => {
            const before = edited(first, [], password, language).text
            count += await heldCount(file, before, edited(first, edits, password, language).text)
          },
        ),
        { numRuns: 200 },
      )
      assert.ok(count > 50, `${count}`)
    })

  it('are those of services that are the same, wherever they stand', async () => {
    const before = SITE(WEB, MAIL, FTP)
    const table: readonly (readonly [string, string, readonly boolean[]])[] = [
      ['the same', before, [true, true, true]],
      ['one has changed', SITE(WEB, service('mail', 2, '    scheduler: rr\n'), FTP), [true, false, true]],
      ['one is gone', SITE(WEB, FTP), [true, false, true]],
      ['two have changed places', SITE(MAIL, WEB, FTP), [true, true, true]],
      ['one is new', SITE(WEB, service('news', 4), MAIL, FTP), [true, true, true]],
      ['one is new at the end', SITE(WEB, MAIL, FTP, service('news', 4)), [true, true, false]],
      ['one has another name', SITE(WEB, MAIL.replace('mail', 'post'), FTP), [true, false, true]],
      [
        'two have each the name of the other',
        SITE(service('mail', 1), service('web', 2), FTP),
        [false, false, true],
      ],
      ['a comment in one', SITE(WEB, `${MAIL}  # one\n`, FTP), [true, false, true]],
      ['blanks at the end of a line', SITE(WEB, MAIL.replace('http\n', 'http \n'), FTP), [true, false, true]],
      ['one that is not right', SITE(WEB, '  mail: {}\n', FTP), [true, false, true]],
    ]
    for (const [what, now, expected] of table)
      assert.deepEqual(await heldBy('site.yaml', before, now), expected, what)
  })

  it('are none where something may mean another thing', async () => {
    const before = SITE(WEB, MAIL, FTP)
    const odd = service('odd', 5)
    const table: readonly (readonly [string, string])[] = [
      ['defaults', `defaults: { check: connect }\n${before}`],
      ['settings behind them', `${before}settings: { concurrency: 3 }\n`],
      ['a comment before them', before.replace('services', '# one\nservices')],
      ['an include', `include: other.yaml\n${before}`],
      ['an anchor in a service', SITE(WEB, odd.replace('check: http', 'check: &base connect'), MAIL, FTP)],
      ['an anchor of a service', SITE(WEB, '  odd: &odd\n    check: http\n', MAIL, FTP)],
      ['a merge of services', SITE(WEB, '  <<: *base\n', MAIL, FTP)],
      ['a tab', SITE(WEB, '\tcheck: http\n', MAIL, FTP)],
      ['the same key twice', SITE(WEB, MAIL, WEB, FTP)],
      ['a second document', SITE(WEB, '---\nservices:\n', MAIL, FTP)],
      ['the end of the document', SITE(WEB, '...\n', MAIL, FTP)],
      ['lines that end in another way', before.replaceAll('\n', '\r\n')],
      ['flow style', 'services: {}\n'],
      ['nothing', ''],
      ['an ldirectord.cf', VIRTUAL(1)],
    ]
    for (const [what, now] of table)
      assert.deepEqual(await heldBy('site.conf', before, now), [false, false, false], what)
  })

  it('are those of reading all where a service has lines that look like others', async () => {
    const lines = [
      "    request: |\n      services:\n        web:\n          reals: ['[2001:db8:1::9]:80']\n",
      '    request: >-\n\n\n    # odd\n',
      '    request: "\n',
      "    request: 'a\n\n",
      '    windows: [\n',
      '    windows: {\n',
      '    ? |\n',
      '    check: *base\n',
      '    <<: *base\n',
      '    request: |+\n      a\n\n\n',
      '    request: |1\n  a\n',
      '    !!str request: a\n',
      '    "',
      '\r',
      '    request: a\r    check: connect\n',
      '    check: { kind: http,\n  }\n',
      '    request: "a\\\n',
    ]
    const ends = ['', '    "\n', "    '\n", '    ]\n', '    }\n', '    : a\n']
    let count = 0
    for (const line of lines)
      for (const end of ends) {
        const now = SITE(service('odd', 5, line), WEB, MAIL, service('even', 6, end), FTP)
        count += await heldCount('site.yaml', SITE(WEB, MAIL, FTP), now)
        count += await heldCount('site.yaml', SITE(WEB, MAIL, service('odd', 5, line), FTP), now)
      }
    assert.ok(count > 100, `${count}`)
  })

  it('are those of virtuals that are the same', async () => {
    const before = `checkinterval=20\n${VIRTUAL(1)}${VIRTUAL(2)}${VIRTUAL(3)}`
    const table: readonly (readonly [string, string, readonly boolean[]])[] = [
      ['one has changed', before.replace('1::2]:80 gate', '1::2]:80 gate 5'), [true, false, true]],
      ['one is gone', before.replace(VIRTUAL(2), ''), [true, false, true]],
      ['one is new', before.replace(VIRTUAL(2), `${VIRTUAL(4)}${VIRTUAL(2)}`), [true, true, true]],
      [
        'one stands twice',
        before.replace(VIRTUAL(2), `${VIRTUAL(1, '\tscheduler=rr\n')}${VIRTUAL(2)}`),
        [true, true, true],
      ],
      ['a directive for all', before.replace('20', '30'), [false, false, false]],
      [
        'a directive for all behind one',
        before.replace(VIRTUAL(2), `${VIRTUAL(2)}quiescent=no\n`),
        [false, false, false],
      ],
      ['a text that is YAML', `services:\n${before}`, [false, false, false]],
    ]
    for (const [what, now, expected] of table)
      assert.deepEqual(await heldBy('site.conf', before, now), expected, what)
  })

  it('are none of a text that is too long, and none where the services are not those of the text', () => {
    const services = [{ name: 'web' }] as never
    const text = SITE(WEB)
    assert.notEqual(sumsOf({ file: 'a.yaml', text, services }, [['web']]), null)
    assert.equal(
      sumsOf({ file: 'a.yaml', text: `${text}#${'#'.repeat(524_288)}`, services }, [['web']]),
      null,
    )
    assert.equal(sumsOf({ file: 'a.yaml', text: SITE(WEB, MAIL), services }, [['web']]), null)
    assert.equal(sumsOf({ file: 'a.yaml', text: SITE(MAIL), services }, [['web']]), null)
  })
})
