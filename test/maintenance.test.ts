import assert from 'node:assert/strict'
import { heldDown, maintenanceNames, ReverseNames } from '../src/maintenance.js'
import { address, real } from './helpers/tables.js'

describe('maintenance by files', () => {
  const cases: [string, string, string[], string[]][] = [
    ['an IPv4 server', '192.0.2.1', [], ['192.0.2.1:80', '192.0.2.1']],
    [
      'an IPv6 server, in brackets as ldirectord has it, and without',
      'fd00::1',
      [],
      ['[fd00::1]:80', '[fd00::1]', 'fd00::1:80', 'fd00::1'],
    ],
    [
      'a server with a name, in full and in short',
      '192.0.2.1',
      ['www1.example.com'],
      ['192.0.2.1:80', '192.0.2.1', 'www1.example.com:80', 'www1.example.com', 'www1:80', 'www1'],
    ],
    ['a server written as a name that does not resolve', 'www1', [], ['www1:80', 'www1']],
  ]
  for (const [what, host, names, expected] of cases)
    it(`knows ${what}`, () => assert.deepEqual(maintenanceNames(real(host), names), expected))

  it('holds down those whose file is there, and says which file', () => {
    const reals = [real('fd00::1'), real('fd00::2'), real('fd00::2', { port: 443 }), real('192.0.2.1')]
    const files = new Set(['[fd00::2]:443', 'www9', 'README'])
    const held = heldDown(reals, files, ({ text }) => (text === '192.0.2.1' ? ['www9.example.com'] : []))
    assert.deepEqual(
      [...held].map(([entry, file]) => [entry.host, entry.port, file]),
      [
        ['fd00::2', 443, '[fd00::2]:443'],
        ['192.0.2.1', 80, 'www9'],
      ],
    )
  })

  it('looks up what addresses are called, once unless told otherwise', async () => {
    const names = new ReverseNames()
    const local = [address('127.0.0.1')]
    let news = 0
    const refresh = async (isFresh: boolean) => {
      await names.refresh(local, isFresh, () => news++)
      return news
    }
    assert.equal(await refresh(false), 1)
    assert.match(names.of(local[0] ?? address('::1'))[0] ?? '', /^localhost/)
    assert.deepEqual([await refresh(false), await refresh(true)], [1, 1])
  })

  it('looks up one name at a time, and makes use of what it knows while a name server is slow', async () => {
    const answers: ((name: string) => void)[] = []
    const names = new ReverseNames(
      text => new Promise(resolve => answers.push(name => resolve(name || text))),
    )
    const all = ['fd00::1', 'fd00::2', 'fd00::3'].map(text => address(text))
    let news = 0
    const done = names.refresh(all, false, () => news++)
    const answer = async (name: string) => {
      assert.equal(answers.length, 1)
      answers.pop()?.(name)
      await new Promise(setImmediate)
    }
    await answer('www1.example.com')
    await new Promise(resolve => setTimeout(resolve, 550))
    await answer('')
    assert.equal(news, 1)
    const later = names.refresh(all, false, () => news++)
    await new Promise(setImmediate)
    for (const give of answers.splice(0)) give('www3')
    await Promise.all([done, later])
    assert.deepEqual(
      all.flatMap(each => names.of(each)),
      ['www1.example.com', 'www3'],
    )
  })
})
