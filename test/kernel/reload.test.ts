/** Reloads while clients are active: only the differences are applied, and an invalid configuration changes nothing. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { pause, until } from '../support/until.js'
import { beginDownload, type Download, fetchPage, steadyClient } from './site/client.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { DOWNLOAD, type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes, tableIs } from './site/site.js'
import { watchTable } from './site/watcher.js'

const NUMBERS = [11, 12, 13, 14, 15, 99]
const WEB = 'tcp [fc00::80]:80'
const API = 'tcp [fc00::81]:80'

describe('a configuration', () => {
  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81', 'fc00::82'],
      NUMBERS.map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })
  beforeEach(freshDirector)

  function startServers(): Map<number, RealServer> {
    return new Map(NUMBERS.map(n => [n, startRealServer(`r${n}`)]))
  }

  for (const isQuiescent of [false, true])
    it(`with quiescent: ${isQuiescent} adds the fallback when the last server is down, and removes it when one is up`, async () => {
      const servers = startServers()
      const dead = (real: string) => (isQuiescent ? { [real]: 'masq 0' } : {})
      const lvsd = await startLvsd(
        writeConfig(`
settings: { log-level: debug }
defaults: { check: { kind: http, interval: 1s, timeout: 1s, fastinter: 200ms, fall: 2 }, scheduler: rr }
services:
  web:
    virtual: '[fc00::80]:80'
    quiescent: ${isQuiescent}
    reals: ['[fc00::11]:80 masq 3', '[fc00::12]:80 masq 4']
    fallback: '[fc00::99]:80 masq'
`),
      )
      await tableBecomes({ [WEB]: { '[fc00::11]:80': 'masq 3', '[fc00::12]:80': 'masq 4' } })
      const watcher = watchTable('director')

      servers.get(11)?.kill()
      await tableBecomes({ [WEB]: { ...dead('[fc00::11]:80'), '[fc00::12]:80': 'masq 4' } })
      watcher.take()
      servers.get(12)?.kill()
      await tableBecomes({
        [WEB]: { ...dead('[fc00::11]:80'), ...dead('[fc00::12]:80'), '[fc00::99]:80': 'masq 1' },
      })
      assert.equal((await fetchPage('fc00::80')).body, 'r99\n')
      assert.deepEqual(watcher.take(), [
        `+ ${WEB} [fc00::99]:80 masq 1`,
        isQuiescent ? `~ ${WEB} [fc00::12]:80 masq 4 -> masq 0` : `- ${WEB} [fc00::12]:80 masq 4`,
      ])
      // Both changes are in one datagram, so no read sees the state between them. The log of lvsd has the order.
      const last = isQuiescent ? 'set-real [fc00::12]:80' : 'delete-real [fc00::12]:80'
      await until(() => steps(lvsd).at(-1) === last, { what: () => `${last} last of ${steps(lvsd)}` })
      assert.equal(steps(lvsd).at(-2), 'add-real [fc00::99]:80')

      const client = steadyClient('fc00::80')
      servers.get(11)?.revive()
      await tableBecomes({ [WEB]: { '[fc00::11]:80': 'masq 3', ...dead('[fc00::12]:80') } })
      servers.get(12)?.revive()
      await tableBecomes({ [WEB]: { '[fc00::11]:80': 'masq 3', '[fc00::12]:80': 'masq 4' } })
      await pause(200)
      const { sent, failures } = await client.stop()
      const out = watcher.seen.filter(({ change }) => change.startsWith(`- ${WEB} [fc00::99]:80`))
      assert.equal(out.length, 1)
      // IPVS drops open connections to a removed server. Later requests must not fail.
      const late = failures.filter(({ at }) => at > (out[0]?.at ?? 0))
      assert.deepEqual(late, [])
      console.log(`      ${failures.length} of ${sent} requests failed when the fallback went out`)
    })

  it('that changes affects only the changed parts, and a long download continues', async () => {
    const servers = startServers()
    const config = (parts: {
      web?: readonly string[]
      api?: boolean
      scheduler?: string
      interval?: string
    }) => {
      const { web = [], api = true, scheduler = 'rr', interval = '1s' } = parts
      return writeConfig(`
settings: { log-level: debug, removal-limit: 100% }
defaults: { check: { kind: http, interval: ${interval}, timeout: 1s, fall: 2 }, scheduler: rr }
services:
  web:
    virtual: '[fc00::80]:80'
    scheduler: ${scheduler}
    reals: [${web.map(real => `'[fc00::${real}'`).join(', ')}]
  ${api ? `api: { virtual: '[fc00::81]:80', reals: ['[fc00::15]:80 masq'] }` : ''}
`)
    }
    const lvsd = await startLvsd(config({ web: ['11]:80 masq 1', '12]:80 masq 2', '13]:80 masq 3'] }))
    await tableBecomes({
      [WEB]: { '[fc00::11]:80': 'masq 1', '[fc00::12]:80': 'masq 2', '[fc00::13]:80': 'masq 3' },
      [API]: { '[fc00::15]:80': 'masq 1' },
    })
    await until(() => written(lvsd) === 6, { what: 'the log of two services and four servers' })
    const download = await downloadFrom('r11')
    const watcher = watchTable('director')
    const steps: { change: () => unknown; expected: string[] }[] = [
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '13]:80 masq 3'] }),
        expected: [`~ ${WEB} [fc00::12]:80 masq 2 -> masq 5`],
      },
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '13]:80 masq 3', '14]:80 masq 4'] }),
        expected: [`+ ${WEB} [fc00::14]:80 masq 4`],
      },
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '14]:80 masq 4'] }),
        expected: [`- ${WEB} [fc00::13]:80 masq 3`],
      },
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '14]:80 masq 4'], api: false }),
        expected: [`- ${API} [fc00::15]:80 masq 1`, `- ${API}`],
      },
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '14]:80 masq 4'] }),
        expected: [`+ ${API} rr`, `+ ${API} [fc00::15]:80 masq 1`],
      },
      {
        change: () => config({ web: ['11]:80 masq 1', '12]:80 masq 5', '14]:80 masq 4'], scheduler: 'wrr' }),
        expected: [`~ ${WEB} rr -> wrr`],
      },
      {
        change: () =>
          config({
            web: ['14]:80 masq 4', '12]:80 masq 5', '11]:80 masq 1'],
            scheduler: 'wrr',
            interval: '2s',
          }),
        expected: [],
      },
      { change: () => {}, expected: [] },
    ]
    for (const { change, expected } of steps) {
      const before = written(lvsd)
      change()
      lvsd.signal('SIGHUP')
      await lvsd.hears('reload: ')
      const seen: string[] = []
      await until(() => seen.push(...watcher.take()) >= expected.length, {
        patience: 5000,
        what: () => `${expected}; it was ${seen}`,
      })
      // The kernel deletes the servers with their service: one message to the kernel, two visible changes.
      const messages = expected.length === 2 && expected[1] === `- ${API}` ? 1 : expected.length
      await until(() => written(lvsd) - before >= messages, { what: () => `the log of ${expected}` })
      await pause(300)
      assert.deepEqual([...seen, ...watcher.take()], expected)
      assert.equal(written(lvsd) - before, messages, 'changes that lvsd itself says it made')
    }
    servers.get(11)?.finishDownloads()
    const lines = await download.whole
    console.log(
      `      ${lines} lines of the download; the table was read every ${Math.round(watcher.longestGap)} ms at worst`,
    )
    assert.ok(lines > 100)
  })

  describe('with an error', () => {
    const web = [11, 12, 13]
    const api = [11, 12, 13, 14]
    const inYaml = (numbers: readonly number[]) =>
      numbers.map(n => `      - '[fc00::${n}]:80 masq 10'\n`).join('')
    const inCf = (numbers: readonly number[]) =>
      numbers.map(n => `       real = [fc00::${n}]:80 masq 10\n`).join('')
    const YAML = `settings: { log-level: info }
defaults: { check: { kind: http, interval: 1s, timeout: 1s, fastinter: 200ms, fall: 2 } }
services:
  web:
    virtual: '[fc00::80]:80'
    scheduler: rr
    reals:
${inYaml(web)}  api:
    virtual: '[fc00::81]:80'
    reals:
${inYaml(api)}`
    const CF = `checkinterval = 1
failurecount = 2
virtual = [fc00::80]:80
       protocol = tcp
       scheduler = rr
       service = http
${inCf(web)}virtual = [fc00::81]:80
       protocol = tcp
       scheduler = wlc
       service = http
${inCf(api)}`
    const LAST = '[fc00::12]:80 masq 10\n'
    const table = (isUp: (n: number) => boolean) => {
      const held = (numbers: readonly number[]) =>
        Object.fromEntries(numbers.filter(isUp).map(n => [`[fc00::${n}]:80`, 'masq 10']))
      return { [WEB]: held(web), [API]: held(api) }
    }
    const all = table(() => true)

    for (const { name, text, broken } of [
      {
        name: 'site.yaml',
        text: YAML,
        broken: {
          'an unknown key': YAML.replace('scheduler: rr', 'schedular: rr'),
          'a wrong address': YAML.replace('fc00::12', 'fc00:::12'),
          'a wrong weight': YAML.replace('masq 10', 'masq ten'),
          'no YAML': YAML.replace('services:', 'services: ]'),
          'a tab': YAML.replace('    scheduler', '\tscheduler'),
          'no services': 'services: {}\n',
          'a list': '- services\n',
          'a comment alone': '# nothing left\n',
        },
      },
      {
        name: 'ldirectord.cf',
        text: CF,
        broken: {
          'an unknown directive': CF.replace('scheduler', 'schedular'),
          'a wrong address': CF.replace('fc00::12', 'fc00:::12'),
          'a wrong weight': CF.replace('masq 10', 'masq ten'),
          'a comment alone': '# nothing left\n',
        },
      },
    ])
      it(`${name}: nothing changes, and the problem is logged`, async () => {
        const servers = startServers()
        const path = writeConfig(text, name)
        const lvsd = await startLvsd(path)
        await tableBecomes(all)
        const watcher = watchTable('director')
        const cut = (share: number) => text.slice(0, Math.floor(text.length * share))
        const wrongs: Record<string, string | Uint8Array | null> = {
          ...broken,
          empty: '',
          'zeros, as after a crash of the machine': Buffer.alloc(text.length),
          'cut at 20%': cut(0.2),
          'cut at 40%': cut(0.4),
          'cut at 45%': cut(0.45),
          // An ldirectord.cf that ends after a complete section may be intended.
          'cut at a line, most of its servers gone': text.slice(
            0,
            text.indexOf(name === 'site.yaml' ? '  api' : `       real = ${LAST}`),
          ),
          gone: null,
        }
        for (const [what, wrong] of Object.entries(wrongs)) {
          if (wrong === null) rmSync(path)
          else writeConfig(wrong, name)
          lvsd.signal('SIGHUP')
          const { level } = await lvsd.hears('reload refused: ')
          assert.equal(level, 'error', what)
          assert.deepEqual(watcher.take(), [], what)
        }
        const { lastReload } = await lvsd.status()
        assert.equal(lastReload?.ok, false)
        assert.deepEqual(await reloadCommand(name, ''), { code: 1, isTold: true })
        assert.deepEqual(watcher.take(), [])

        // The previous configuration continues with its checks, and a correct file is accepted.
        servers.get(11)?.kill()
        await tableBecomes(table(n => n !== 11))
        servers.get(11)?.revive()
        await tableBecomes(all)
        assert.equal((await reloadCommand(name, text)).code, 0)
        tableIs(all)
      })
  })
})

/** Opens downloads until one is from this server. */
async function downloadFrom(server: string): Promise<Download> {
  for (;;) {
    const download = await beginDownload('fc00::80', DOWNLOAD)
    if (download.from === server) return download
    download.abort()
  }
}

const WRITTEN = /^(add|set|delete)-(service|real)$/

/** Returns the number of table changes in the log of lvsd. */
function written(lvsd: Lvsd): number {
  return steps(lvsd).length
}

/** Returns the table changes in the log of lvsd, in order. */
function steps({ lines }: Lvsd): string[] {
  return lines.filter(({ msg }) => WRITTEN.test(msg)).map(({ msg, real }) => `${msg} ${real}`)
}

async function reloadCommand(name: string, text: string): Promise<{ code: number | null; isTold: boolean }> {
  writeConfig(text, name)
  const { code, output } = await lvsdCommand('reload')
  return { code, isTold: output.trim() !== '' }
}
