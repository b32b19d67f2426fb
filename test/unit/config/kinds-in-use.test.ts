import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { loadConfigApart } from '../../../src/config/load-apart.js'
import { loadNamedChecks } from '../../../src/kinds/find-kinds.js'

const site = (check: string) =>
  `services: { web: { virtual: '[2001:db8::80]:80', check: ${check}, reals: ['[2001:db8:1::1]:80'] } }`
const kindsOf = ({ checks }: Pick<Awaited<ReturnType<typeof loadConfig>>, 'checks'>) =>
  [...checks.keys()].sort()

describe('the kinds that a configuration loads', () => {
  it('are those that its text mentions', async () => {
    const loaded = await loadConfig('site.yaml', { text: site('imap') })
    assert.deepEqual(loaded.problems, [])
    assert.deepEqual(kindsOf(loaded), ['imap'])
  })

  it('are the same from a separate thread', async () => {
    const loaded = await loadConfigApart('site.yaml', { text: site('{ kind: ldap }') })
    assert.deepEqual(loaded.problems, [])
    assert.deepEqual(kindsOf(loaded), ['ldap'])
  })

  it('are those that an included file mentions, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-kinds-'))
    try {
      const file = join(folder, 'site.yaml')
      writeFileSync(join(folder, 'more.yaml'), site('nntp'))
      writeFileSync(file, `include: more.yaml`)
      const loaded = await loadConfig(file)
      assert.deepEqual(loaded.problems, [])
      assert.deepEqual(kindsOf(loaded), ['nntp'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('are all of lvsd for a name that is only an alias, or is written with escapes', async () => {
    for (const [written, kind] of [
      ['postgresql', 'pgsql'],
      ['"\\x68ttp"', 'http'],
    ] as const) {
      const { config, checks } = await loadConfig('site.yaml', { text: site(written) })
      assert.equal(config?.services[0]?.reals[0]?.checks[0]?.kind, kind)
      assert.ok(checks.has(kind) && checks.has('sip'))
    }
  })

  it('are all of lvsd where there is a problem: messages name them, and hide secrets of any', async () => {
    const { config, problems } = await loadConfig('site.yaml', { text: site('htpp') })
    assert.equal(config, null)
    assert.match(problems[0]?.message ?? '', /did you mean "https?"/)
    const { hiding } = await loadConfig('site.yaml', { text: site('{ kind: imap, community: x }') })
    assert.equal(hiding?.isSecret('passwd'), true)
  })

  it('are found by an alias', async () => {
    const { checks } = await loadNamedChecks([], new Set(['http', 'mariadb']))
    assert.equal(checks.get('mariadb')?.name, 'mysql')
  })
})
