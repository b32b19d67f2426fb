import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConnectionList, parseConnection } from '../../../src/ipvs/connection-list.js'
import { temporaryFolder } from '../../support/folder.js'

const TITLES = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData'
const SIX =
  'TCP FC00:0000:0000:0000:0000:0000:0000:000C C5D8 FC00:0000:0000:0000:0000:0000:0000:0080 0050 FC00:0000:0000:0000:0000:0000:0000:0011 0050 SYN_RECV         57'
const FOUR = 'TCP C000020C C5D8 C0000250 01BB 0A000011 1F90 ESTABLISHED     899'
const all = (line: string) => line.startsWith('TCP')

describe('connection list', () => {
  it('reads a connection over IPv6', () => {
    assert.deepEqual(parseConnection(SIX), {
      service: 'tcp [fc00::80]:80',
      real: '[fc00::11]:80',
      state: 'SYN_RECV',
      expires: 57,
    })
  })

  it('reads a connection over IPv4, and one that a tunnel forwards to IPv6', () => {
    assert.deepEqual(parseConnection(FOUR), {
      service: 'tcp 192.0.2.80:443',
      real: '10.0.0.17:8080',
      state: 'ESTABLISHED',
      expires: 899,
    })
    const mixed = FOUR.replace('0A000011', 'FC00:0000:0000:0000:0000:0000:0000:0011')
    assert.equal(parseConnection(mixed)?.real, '[fc00::11]:8080')
  })

  it('reads no connection from titles and from lines that are cut off', () => {
    for (const line of [TITLES, '', 'TCP', FOUR.slice(0, 60), FOUR.replace('0A000011', '0A0011')])
      assert.equal(parseConnection(line), null, line)
  })

  const lines = Array.from({ length: 500 }, (_, i) => FOUR.replace('899', `${i}`.padStart(3)))
  const file = () => {
    const path = join(temporaryFolder(), 'ip_vs_conn')
    writeFileSync(path, [TITLES, ...lines, ''].join('\n'))
    return path
  }

  it('reads all lines, also those that two pages share, and begins again after the end', () => {
    const list = new ConnectionList(file())
    for (let round = 0; round < 2; round++) {
      const { connections, isEnd } = list.read(Infinity, all)
      assert.equal(isEnd, true)
      assert.deepEqual(
        connections.map(({ expires }) => expires),
        [...lines.keys()],
      )
    }
  })

  it('stops when it has cost enough, and goes on there', () => {
    const list = new ConnectionList(file())
    const seen: number[] = []
    let pieces = 0
    for (let isEnd = false; !isEnd; pieces++) {
      const piece = list.read(1e-9, all)
      seen.push(...piece.connections.map(({ expires }) => expires))
      isEnd = piece.isEnd
    }
    list.close()
    assert.deepEqual(seen, [...lines.keys()])
    assert.ok(pieces > 3, `${pieces} pieces`)
  })

  it('throws where there is no list', () => {
    assert.throws(() => new ConnectionList('/nowhere').read(1, all), { code: 'ENOENT' })
  })
})
