/**
 * The kernel sends a packet of a known connection to the server of that connection, whatever its mark. So probes with a
 * mark take their local ports in turn (`probe/engine/local-ports.ts`).
 */
import assert from 'node:assert/strict'
import { askMarked } from './site/marked.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, ip, ipvsadm } from './site/site.js'

const VIRTUAL = 'fc00::90'
const SERVERS = { r31: 'fc00::31', r32: 'fc00::32' }
const MARKS = { r31: 0x4c56_0001, r32: 0x4c56_0002 }

const ask = (mark: number, port: number) => askMarked({ to: VIRTUAL, from: 'fc00::d', port, mark })

describe('a marked connection from a port that another path has used', () => {
  before(async () => {
    await buildSite(
      [VIRTUAL],
      Object.entries(SERVERS).map(([name, real]) => ({ name, address: real, virtual: [VIRTUAL] })),
    )
  })

  beforeEach(async () => {
    await freshDirector()
    for (const name of ['r31', 'r32'] as const) {
      startRealServer(name)
      await ipvsadm('-A', '-f', String(MARKS[name]), '-6', '-s', 'rr')
      await ipvsadm('-a', '-f', String(MARKS[name]), '-6', '-r', `[${SERVERS[name]}]:80`, '-g')
    }
  })

  it('reaches the server of that path while it has not answered', async () => {
    ip('r31', [`addr del ${VIRTUAL}/128 dev lo`])
    const seen = [await ask(MARKS.r31, 40001), await ask(MARKS.r32, 40001), await ask(MARKS.r32, 40003)]
    assert.deepEqual(seen, ['no answer', 'no answer', 'r32'])
  })
})
