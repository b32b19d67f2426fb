import assert from 'node:assert/strict'
import type { CheckWork } from '../../../../src/check/run-code.js'
import type { OwnAddress } from '../../../../src/core/check-source.js'
import { NO_CHANGES } from '../../../../src/netlink/path-changes.js'
import { CheckSources } from '../../../../src/schedule/check-sources.js'
import { Engine } from '../../../../src/schedule/engine/engine.js'
import { newSharedTimes, type Report } from '../../../../src/schedule/engine/protocol.js'
import { openExecutors } from '../../../../src/schedule/executors.js'
import { systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { recordingLog } from '../../../support/logs.js'
import * as servers from '../../../support/servers.js'
import { address } from '../../../support/tables.js'
import { pause, until } from '../../../support/until.js'

const EVERY = { interval: 3_600_000, timeout: 600_000, firstIn: 0 }

function own(text: string): OwnAddress {
  const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
  return { address: address(text), link: 2, prefix: 64, scope: 'global', ...flags }
}

/** Of a machine that does not have the addresses that it says it has. */
function sourcesWith(virtual: readonly string[]) {
  const source = address('fd00:1::80')
  const paths = {
    routeTo: () => ({ kind: 'by' as const, link: 2, source, gateway: null }),
    addresses: () => [own('fd00:1::80'), own('fd00:1::1')],
  }
  const changes = { take: () => NO_CHANGES, close: () => {} }
  const sources = new CheckSources({ paths, changes, log: recordingLog().log, now: systemClock.now })
  sources.followAddresses(virtual)
  return sources
}

/** A server that never answers, and the number of its connections. */
async function silent() {
  const count = { accepted: 0, open: 0 }
  const { port } = await servers.tcpServer(socket => {
    count.accepted++
    count.open++
    socket
      .resume()
      .on('end', () => socket.end())
      .on('close', () => count.open--)
  })
  const target = { address: address('::1'), port }
  const send = Buffer.from('hello')
  const judge = { kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 1000 } as const
  const probe = { kind: 'tcp', ...target, end: false, reset: false, send, judge } as const
  return { count, target, probe }
}

/** Without a virtual address the kernel is not asked where a check begins. */
const BEFORE = [[], ['fd00:1::90']]
const WITH_ANOTHER = ['fd00:1::90', 'fd00:1::91']
const WITH_SOURCE = ['fd00:1::90', 'fd00:1::80']

describe('engine: checks that began from an address that is virtual now', () => {
  for (const before of BEFORE) {
    it(`run again at once on epoll, after ${before.length} virtual addresses`, async () => {
      const { count, target, probe } = await silent()
      const sources = sourcesWith(before)
      const results: string[] = []
      const post = (report: Report) => {
        if (report.kind === 'results') results.push(...report.full.map(({ result }) => result.detail))
      }
      const engine = new Engine({ cap: 10, shared: newSharedTimes(), sources, post })
      onCleanup(() => engine.close())
      const turned = (isDone: () => boolean) =>
        until(() => {
          engine.turn(5)
          return isDone()
        })
      const work = { probe, connects: 0, target }
      engine.take([{ kind: 'set', job: 1, place: 0, work, timing: EVERY }])
      await turned(() => count.accepted === 1)
      engine.take([{ kind: 'virtual', addresses: WITH_ANOTHER }])
      for (let i = 0; i < 5; i++) engine.turn(5)
      await pause(20)
      assert.deepEqual([results, count.open], [[], 1])
      engine.take([{ kind: 'virtual', addresses: WITH_SOURCE }])
      await turned(() => results.length > 0 && count.open === 0)
      assert.match(`${results}`, /fd00:1::1|EADDRNOTAVAIL|not available/)
      assert.equal(count.accepted, 1)
    })

    it(`run again at once on Node's sockets, after ${before.length} virtual addresses`, async () => {
      const { count, target, probe } = await silent()
      const sources = sourcesWith(before)
      const results: string[] = []
      const executors = openExecutors((_, { detail }) => void results.push(detail), 10, { sources })
      onCleanup(() => executors.close())
      const check = { name: 'web', summary: '', options: () => ({}), probe: () => probe }
      executors.set('a', { check, target: target as CheckWork['target'], options: {} }, EVERY)
      await until(() => count.accepted === 1)
      sources.followAddresses(WITH_ANOTHER)
      await pause(50)
      assert.deepEqual([results, count.open], [[], 1])
      sources.followAddresses(WITH_SOURCE)
      await until(() => results.length > 0 && count.open === 0)
      assert.match(`${results}`, /fd00:1::1|EADDRNOTAVAIL|not available/)
      assert.equal(count.accepted, 1)
    })
  }
})
