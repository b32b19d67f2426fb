import assert from 'node:assert/strict'
import { memoryJournal } from '../src/journal/journal.js'
import { keyOfService } from '../src/model.js'
import { NameBook } from '../src/name-book.js'
import type { Names } from '../src/resolve.js'
import { recordingLog } from './helpers/logs.js'
import { config, real, service } from './helpers/tables.js'

/** A book whose questions wait until the test answers them. */
function book() {
  const asked: ((names: Record<string, string>) => void)[] = []
  const { log, lines } = recordingLog()
  const resolve = () =>
    new Promise<{ names: Names; failures: string[] }>(answer => {
      asked.push(names => answer({ names: new Map(Object.entries(names)), failures: [] }))
    })
  return { names: new NameBook(memoryJournal(), log, resolve), asked, lines }
}

const site = (host: string) => config([service('web', { reals: [real(host)] })])
const addressIn = (names: NameBook, host: string) =>
  names.resolved(site(host)).services[0]?.reals[0]?.address?.text ?? null

describe('the book of names', () => {
  it('is not set back by a slow answer about an earlier configuration', async () => {
    const { names, asked } = book()
    const slow = names.refresh(site('old'))
    const quick = names.refresh(site('new'))
    asked[1]?.({ 'new ipv6': 'fd00::2' })
    assert.equal(await quick, true)
    asked[0]?.({ 'old ipv6': 'fd00::1' })
    assert.equal(await slow, false)
    assert.equal(addressIn(names, 'new'), 'fd00::2')
  })

  it('leaves out, and tells once, a service whose name resolves to another service', async () => {
    const { names, asked, lines } = book()
    const unresolved = { protocol: 'tcp', port: 80, family: 'ipv6' } as const
    const both = config([
      service('web'),
      service('www', { host: 'www.example', id: null, unresolved }),
      service('mail', { host: 'mail.example', id: null, unresolved }),
    ])
    const refreshed = names.refresh(both)
    asked[0]?.({ 'www.example ipv6': '2001:db8::80', 'mail.example ipv6': '2001:db8::25' })
    await refreshed
    for (let i = 0; i < 2; i++)
      assert.deepEqual(
        names.resolved(both).services.map(({ id }) => id && keyOfService(id)),
        ['tcp [2001:db8::80]:80', null, 'tcp [2001:db8::25]:80'],
      )
    assert.deepEqual(
      lines.filter(({ msg }) => msg.includes('left out')).map(({ msg }) => msg),
      ['"www" is left out: www.example resolves to tcp [2001:db8::80]:80, which is "web"'],
    )
  })
})
