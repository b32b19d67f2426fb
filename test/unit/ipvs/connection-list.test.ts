import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { ConnectionLine } from '../../../src/ipvs/connection-line.js'
import { ConnectionList } from '../../../src/ipvs/connection-list.js'
import { temporaryFolder } from '../../support/folder.js'

const TITLES = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData'
const SIX =
  'TCP FC00:0000:0000:0000:0000:0000:0000:000C C5D8 FC00:0000:0000:0000:0000:0000:0000:0080 0050 FC00:0000:0000:0000:0000:0000:0000:0011 0050 SYN_RECV         57'
const FOUR = 'TCP C000020C C5D8 C0000250 01BB 0A000011 1F90 ESTABLISHED     899'

function parseConnection(line: string) {
  const bytes = Buffer.from(line)
  return new ConnectionLine(bytes).parse(0, bytes.length)
}

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
    for (const line of [
      TITLES,
      '',
      'TCP',
      FOUR.slice(0, 60),
      FOUR.replace('0A000011', '0A0011'),
      'TCP '.repeat(9),
    ])
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
      const { connections, isEnd } = list.read(Infinity)
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
      const piece = list.read(1e-9)
      seen.push(...piece.connections.map(({ expires }) => expires))
      isEnd = piece.isEnd
    }
    list.close()
    assert.deepEqual(seen, [...lines.keys()])
    assert.ok(pieces > 3, `${pieces} pieces`)
  })

  it('leaves out what is not over TCP, and reads each of a few services, servers and states by its own name', () => {
    const path = join(temporaryFolder(), 'ip_vs_conn')
    const random = fc.record({
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
      from: fc.nat(0xffff),
      to: fc.nat(3),
      port: fc.constantFrom(80, 443),
      state: fc.constantFrom('SYN_RECV', 'SYN_SENT', 'ESTABLISHED', 'FIN_WAIT', 'TIME_WAIT', 'NONE'),
      expires: fc.nat(900),
    })
    fc.assert(
      fc.property(fc.array(random, { maxLength: 200 }), all => {
        const hex = (value: number) => value.toString(16).toUpperCase().padStart(4, '0')
        const text = all.map(
          ({ protocol, from, to, port, state, expires }) =>
            `${protocol.padEnd(3)} C000020C ${hex(from)} C00002${hex(to).slice(2)} ${hex(port)} 0A000011 ${hex(port)} ${state.padEnd(11)} ${`${expires}`.padStart(7)}`,
        )
        writeFileSync(path, [TITLES, ...text, ''].join('\n'))
        assert.deepEqual(
          new ConnectionList(path).read(Infinity).connections,
          all
            .filter(({ protocol }) => protocol === 'TCP')
            .map(({ to, port, state, expires }) => ({
              service: `tcp 192.0.2.${to}:${port}`,
              real: `10.0.0.17:${port}`,
              state,
              expires,
            })),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('throws where there is no list', () => {
    assert.throws(() => new ConnectionList('/nowhere').read(1), { code: 'ENOENT' })
  })
})
