import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Family } from '../../../src/core/address.js'
import { keyOfService } from '../../../src/core/model.js'
import type { Answer } from '../../../src/names/lookup.js'
import type { LookupRequest } from '../../../src/names/lookup-requests.js'
import { NameResolver } from '../../../src/names/name-resolver.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { config, named, real, service } from '../../support/tables.js'

const VIP: LookupRequest = { host: 'vip', family: 'ipv6', other: 'at first' }

/** Milliseconds after which use has been made of an answer. */
const GATHERED = 40

/** A book whose questions wait until the test answers them. */
function book(known: Record<string, string> = {}) {
  const asked = new Map<string, (answer: Answer) => void>()
  const { log, lines } = recordingLog()
  const journal = memoryJournal()
  journal.recordNames(new Map(Object.entries(known)))
  const state = { news: 0 }
  const resolver = {
    addresses: (host: string, family: Family) =>
      new Promise<Answer>(resolve => {
        assert.equal(asked.has(`${host} ${family}`), false, 'asked twice at a time')
        asked.set(`${host} ${family}`, resolve)
      }),
    names: async () => [],
    close: () => {},
  }
  const clock = new FakeClock()
  const names = new NameResolver({ resolver, journal, log, onNews: () => state.news++, clock })
  onCleanup(() => names.close())
  /** `host: text`, an address, several, or a code. */
  const answer = async (host: string, family: Family, text: string) => {
    const found: Answer = /^E/.test(text) ? { code: text } : { addresses: text.split(' ') }
    const give = asked.get(`${host} ${family}`)
    assert.ok(give, `${host} ${family} was not asked for`)
    asked.delete(`${host} ${family}`)
    give(found)
    await setImmediate()
    clock.wind(GATHERED)
    await setImmediate()
  }
  return { names, asked, lines, answer, state, journal, clock }
}

const site = (...hosts: readonly string[]) =>
  config([service('web', { reals: hosts.map(host => real(host)) })])
const addressesIn = (names: NameResolver, ...hosts: readonly string[]) =>
  names.resolve(site(...hosts)).services[0]?.reals.map(({ address }) => address?.text ?? null)

describe('name-resolver: the addresses of names', () => {
  it('uses each answer at once, while others are outstanding', async () => {
    const { names, answer, state, journal } = book()
    names.follow(site('good', 'dead'))
    await answer('good', 'ipv6', 'fd00::1')
    assert.equal(state.news, 1)
    assert.deepEqual(addressesIn(names, 'good', 'dead'), ['fd00::1', null])
    assert.deepEqual([...journal.names], [['good ipv6', 'fd00::1']])
  })

  it('resolves names without an address every 5 s, and all names in their interval', async () => {
    const { names, asked, answer, clock } = book()
    const wind = async (ms: number) => {
      clock.wind(ms)
      await setImmediate()
      clock.wind(0)
    }
    names.follow(site('good', 'dead'))
    names.refreshEvery(8000)
    for (const host of ['good', 'dead'])
      for (const family of ['ipv6', 'ipv4'] as const)
        await answer(host, family, host === 'good' && family === 'ipv6' ? 'fd00::1' : 'ENOTFOUND')
    await wind(4999 - 4 * GATHERED)
    assert.deepEqual([...asked.keys()], [])
    await wind(1)
    assert.deepEqual([...asked.keys()], ['dead ipv6', 'dead ipv4'])
    await wind(3000)
    assert.deepEqual([...asked.keys()], ['dead ipv6', 'dead ipv4', 'good ipv6', 'good ipv4'])
    names.close()
    assert.equal(clock.alarms, 0)
  })

  it('has at most one request for each name, with any number of reloads and rounds', async () => {
    const { names, asked, answer } = book()
    for (let i = 0; i < 5; i++) {
      names.follow(site('dead', 'good'))
      names.refresh()
      names.refresh(true)
    }
    assert.equal(asked.size, 4)
    await answer('good', 'ipv6', 'fd00::1')
    names.refresh(true)
    assert.equal(asked.size, 3)
    names.refresh()
    assert.equal(asked.size, 4)
  })

  it('uses the answer to a request that began before a reload', async () => {
    const { names, answer } = book()
    names.follow(site('app'))
    names.follow(site('app', 'new'))
    await answer('app', 'ipv6', 'fd00::1')
    assert.deepEqual(addressesIn(names, 'app', 'new'), ['fd00::1', null])
  })

  it('keeps an address while the answers contain it, in any order', async () => {
    const { names, answer, state } = book()
    names.follow(site('app'))
    await answer('app', 'ipv6', 'fd00::a1 fd00::a2')
    assert.deepEqual(addressesIn(names, 'app'), ['fd00::a1'])
    for (const text of ['fd00::a2 fd00::a1', 'fd00::a1', 'ETIMEOUT', 'ENOTFOUND']) {
      names.refresh()
      await answer('app', 'ipv6', text)
      assert.equal(state.news, 1)
    }
    names.refresh()
    await answer('app', 'ipv6', 'fd00::a2')
    assert.equal(state.news, 2)
    assert.deepEqual(addressesIn(names, 'app'), ['fd00::a2'])
  })

  it('reports changes until the new addresses are applied', async () => {
    const { names, answer, state } = book({ 'app ipv6': 'fd00::1' })
    names.follow(site('app'))
    assert.deepEqual(addressesIn(names, 'app'), ['fd00::1'])
    await answer('app', 'ipv6', 'fd00::2')
    assert.equal(state.news, 1)
    names.refresh()
    await answer('app', 'ipv6', 'fd00::2')
    assert.equal(state.news, 2)
    assert.deepEqual(addressesIn(names, 'app'), ['fd00::2'])
    names.refresh()
    await answer('app', 'ipv6', 'fd00::2')
    assert.equal(state.news, 2)
  })

  it('uses known addresses for a configuration that requests another family', async () => {
    const { names, answer, state, clock } = book()
    names.follow(site('app'))
    await answer('app', 'ipv6', 'ENODATA')
    await answer('app', 'ipv4', '192.0.2.1')
    const tunnel = config([
      service('web', { reals: [{ ...real('app', { forwarding: 'ipip' }), family: 'ipv4' }] }),
    ])
    names.follow(tunnel)
    clock.wind(GATHERED)
    assert.ok(state.news > 0)
    assert.equal(names.resolve(tunnel).services[0]?.reals[0]?.address?.text, '192.0.2.1')
  })

  it('logs once an error of a name and the affected servers, and once its end', async () => {
    const { names, answer, lines } = book({ 'app ipv6': 'fd00::9' })
    names.follow(site('app'))
    names.resolve(site('app'))
    const round = async (ipv6: string, ipv4: string) => {
      names.refresh()
      await answer('app', 'ipv6', ipv6)
      await answer('app', 'ipv4', ipv4)
    }
    for (let i = 0; i < 3; i++) await round('ENODATA', '127.0.0.1')
    await round('fd00::9', '127.0.0.1')
    assert.deepEqual(
      lines.map(({ msg, services }) => [msg, services]),
      [
        ['app has no IPv6 address; it has 127.0.0.1; fd00::9 stays in use', ['web']],
        ['app resolves again', ['web']],
      ],
    )
  })

  it('returns errors by the service or real server that has the name', async () => {
    const { names, answer } = book()
    const first = service('first', named('vip', 'ipv6'))
    const second = service('second', { ...named('vip', 'ipv6'), reals: [real('app'), real('fd00::1')] })
    names.follow(config([first, second]))
    await answer('vip', 'ipv6', '2001:db8::80')
    await answer('vip', 'ipv4', 'ENODATA')
    const resolved = names.resolve(config([first, second]))
    const [one, other] = resolved.services
    const [app, literal] = other?.reals ?? []
    assert.ok(one && other && app && literal)
    const troubles = names.snapshot(resolved)
    assert.deepEqual(
      [one, other, app, literal].map(part => troubles.get(part)),
      [
        undefined,
        '"second" is left out: vip resolves to tcp [2001:db8::80]:80, which is "first"',
        'app is being looked up',
        undefined,
      ],
    )
  })

  describe('of a virtual service without a family', () => {
    const vip = (family: Family | null = null) => config([service('web', named('vip', family))])
    const keyIn = (names: NameResolver, family: Family | null = null) => {
      const { id = null } = names.resolve(vip(family)).services[0] ?? {}
      return id && keyOfService(id)
    }
    const round = async ({ names, answer }: ReturnType<typeof book>, ipv6: string, ipv4: string) => {
      names.refresh()
      await answer('vip', 'ipv6', ipv6)
      await answer('vip', 'ipv4', ipv4)
    }

    it('keeps its family if the addresses of that family disappear, also after a restart, and reports the other family', async () => {
      const one = book()
      one.names.follow(vip())
      await round(one, '2001:db8::80', '192.0.2.80')
      assert.equal(keyIn(one.names), 'tcp [2001:db8::80]:80')
      await round(one, 'ENODATA', '192.0.2.80')
      assert.equal(keyIn(one.names), 'tcp [2001:db8::80]:80')
      const trouble =
        'vip has no IPv6 address; it has 192.0.2.80; 2001:db8::80 stays in use; to use the other one, set family: ipv4'
      assert.equal(one.lines.at(-1)?.msg, trouble)
      assert.equal(one.names.troubleOf(VIP), trouble)
      const two = book(Object.fromEntries(one.journal.names))
      two.names.follow(vip())
      await round(two, 'ENODATA', '192.0.2.80')
      assert.equal(keyIn(two.names), 'tcp [2001:db8::80]:80')
      await round(two, '2001:db8::81', '192.0.2.80')
      assert.equal(keyIn(two.names), 'tcp [2001:db8::81]:80')
      assert.equal(two.names.troubleOf(VIP), null)
    })

    it('keeps IPv4 if an IPv6 address appears later', async () => {
      const site = book()
      site.names.follow(vip())
      await round(site, 'ENODATA', '192.0.2.80')
      await round(site, '2001:db8::80', '192.0.2.80')
      await round(site, '2001:db8::80', 'ENODATA')
      assert.equal(keyIn(site.names), 'tcp 192.0.2.80:80')
    })

    it('changes its family at once if the configuration sets another family', async () => {
      const site = book()
      site.names.follow(vip())
      await round(site, '2001:db8::80 2001:db8::81', '192.0.2.80')
      await round(site, '2001:db8::81 2001:db8::80', '192.0.2.80')
      site.names.follow(vip('ipv6'))
      assert.equal(keyIn(site.names, 'ipv6'), 'tcp [2001:db8::80]:80')
      site.names.follow(vip('ipv4'))
      assert.equal(keyIn(site.names, 'ipv4'), 'tcp 192.0.2.80:80')
      site.names.follow(vip())
      assert.equal(keyIn(site.names), 'tcp 192.0.2.80:80')
    })

    it('uses IPv4 if there is no answer about IPv6 for a long time', async () => {
      const site = book()
      site.names.follow(vip())
      await round(site, 'ESERVFAIL', '192.0.2.80')
      site.clock.wind(14_000)
      await round(site, 'ESERVFAIL', '192.0.2.80')
      assert.equal(keyIn(site.names), null)
      site.clock.wind(1000)
      await round(site, 'ESERVFAIL', '192.0.2.80')
      assert.equal(keyIn(site.names), 'tcp 192.0.2.80:80')
    })
  })

  it('omits a service that resolves to the address of another service, and logs it once', async () => {
    const { names, answer, lines } = book()
    const both = config([
      service('web'),
      service('www', named('www.example', 'ipv6')),
      service('mail', named('mail.example', 'ipv6')),
    ])
    names.follow(both)
    await answer('www.example', 'ipv6', '2001:db8::80')
    await answer('mail.example', 'ipv6', '2001:db8::25')
    for (let i = 0; i < 2; i++)
      assert.deepEqual(
        names.resolve(both).services.map(({ id }) => id && keyOfService(id)),
        ['tcp [2001:db8::80]:80', null, 'tcp [2001:db8::25]:80'],
      )
    assert.deepEqual(
      lines.filter(({ msg }) => msg.includes('left out')).map(({ msg }) => msg),
      ['"www" is left out: www.example resolves to tcp [2001:db8::80]:80, which is "web"'],
    )
  })

  it('is idle when no outstanding answer can change anything', async () => {
    const { names, answer } = book()
    names.follow(site('good', 'dead'))
    let isIdle = false
    void names.idle().then(() => {
      isIdle = true
    })
    await answer('good', 'ipv6', 'fd00::1')
    assert.equal(isIdle, false)
    await answer('dead', 'ipv6', 'ETIMEOUT')
    assert.equal(isIdle, true)
    assert.deepEqual(names.troubles(), [
      'dead does not resolve to an IPv6 address: the name servers do not answer (ETIMEOUT) (web)',
    ])
  })
})
