import assert from 'node:assert/strict'
import { fileNamesFor, matchOverrides } from '../../../src/overrides/matching-files.js'
import { real } from '../../support/tables.js'

describe('matching-files: maintenance by files', () => {
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
    it(`knows ${what}`, () => assert.deepEqual(fileNamesFor(real(host), names), expected))

  it('holds down the servers with a file, and names the file', () => {
    const reals = [real('fd00::1'), real('fd00::2'), real('fd00::2', { port: 443 }), real('192.0.2.1')]
    const files = new Set(['[fd00::2]:443', 'www9', 'README'])
    const held = matchOverrides(reals, files, ({ text }) =>
      text === '192.0.2.1' ? ['www9.example.com'] : [],
    )
    assert.deepEqual(
      [...held].map(([entry, file]) => [entry.host, entry.port, file]),
      [
        ['fd00::2', 443, '[fd00::2]:443'],
        ['192.0.2.1', 80, 'www9'],
      ],
    )
  })
})
