/** Tokens of the API: made, found, revoked, kept over a restart. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokens } from '../../../src/api/tokens.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const anna = { name: 'anna', role: 'operate', who: 'root', until: null } as const

async function opened(path: string | null = null, now: () => number = Date.now) {
  const tokens = new Tokens({ path, log: recordingLog().log, now })
  await tokens.load()
  return tokens
}

describe('tokens', () => {
  it('are found by their text alone', async () => {
    const tokens = await opened()
    const made = await tokens.add(anna)
    assert.ok(made)
    assert.match(made.text, /^lvsd_[0-9a-f]{12}_[\w-]{32}$/)
    assert.deepEqual([tokens.find(made.text)?.name, tokens.find(made.text)?.role], ['anna', 'operate'])
    const [, id, secret = ''] = made.text.split('_')
    const wrong = [
      '',
      made.text.slice(0, -1),
      `${made.text}x`,
      `lvsd_${id}_${'A'.repeat(43)}`,
      `lvsd_000000000000_${secret}`,
      made.text.toUpperCase(),
      `${made.text} `,
    ]
    for (const text of wrong) assert.equal(tokens.find(text), null, text)
  })

  it('have each name once', async () => {
    const tokens = await opened()
    assert.ok(await tokens.add(anna))
    assert.equal(await tokens.add({ ...anna, role: 'read' }), null)
    assert.equal(await tokens.revoke('bob'), null)
    assert.ok(await tokens.revoke('anna'))
    assert.ok(await tokens.add(anna))
  })

  it('survive a restart, without their secrets on the disk', async () => {
    const path = join(temporaryFolder(), 'tokens.json')
    const first = await opened(path)
    const made = await first.add(anna)
    assert.ok(made?.isKept)
    assert.ok(!readFileSync(path, 'latin1').includes(made.text.split('_')[2] as string))
    await first.close(1000)
    const second = await opened(path)
    assert.equal(second.find(made.text)?.name, 'anna')
    await second.revoke('anna')
    await second.close(1000)
    assert.equal((await opened(path)).find(made.text), null)
  })

  it('end by themselves', async () => {
    let now = 1_000_000
    const tokens = await opened(null, () => now)
    const made = await tokens.add({ ...anna, until: now + 1000 })
    assert.ok(made)
    now += 999
    assert.ok(tokens.find(made.text))
    now += 1
    assert.equal(tokens.find(made.text), null)
    assert.deepEqual(tokens.all, [])
    assert.ok(await tokens.add(anna), 'the name is free again')
  })
})
