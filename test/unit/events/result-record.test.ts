import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckResult, ResolvedConfig } from '../../../src/core/model.js'
import { ResultRecord } from '../../../src/events/result-record.js'
import type { DampingChange, Transition } from '../../../src/health/health-changes.js'
import type { Subscriber } from '../../../src/health/jobs.js'
import { Segments } from '../../../src/storage/segments.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, passed, real, service, use } from '../../support/tables.js'

const SITE = config([service('web', { reals: [real('fd00:1::a', { checks: [use('http')] })] })])
const [WEB] = SITE.services
const [A] = WEB?.reals ?? []
const [CHECK] = A?.checks ?? []
const subscribers = [{ service: WEB, real: A, use: CHECK }] as unknown as readonly Subscriber[]
const lasting = (record: number | null): ResolvedConfig => ({
  ...SITE,
  settings: { ...SITE.settings, record },
})
const silent = (ms: number): CheckResult => ({
  ...passed(),
  ok: false,
  reason: 'timeout',
  detail: `no answer in ${ms} ms`,
})

async function entriesOf(folder: string): Promise<unknown[]> {
  const entries: unknown[] = []
  const limits = { segmentBytes: 1e6, segmentLines: 1e6, bytes: 1e9, lines: 1e9, age: 1e12 }
  const { segments } = await Segments.open(
    { folder, name: 'results', version: 1, limits, log: recordingLog().log },
    value => void entries.push(value),
  )
  await segments.close(1000)
  return entries
}

/** Without those that say when recording begins and ends. */
async function changesIn(folder: string): Promise<unknown[]> {
  const entries = (await entriesOf(folder)) as Readonly<Record<string, unknown>>[]
  return entries.filter(entry => 'check' in entry || 'real' in entry)
}

describe('ResultRecord', () => {
  it('writes what changes in the results of a check, and states of servers', async () => {
    const folder = join(temporaryFolder(), 'results')
    const record = new ResultRecord({ folder, log: recordingLog().log, now: () => 7 })
    record.config(lasting(86_400_000))
    const results = [passed('200 OK'), passed('200 OK'), silent(3000), silent(3001), passed('200 OK')]
    for (const result of results) record.result?.(subscribers, result)
    record.transition?.({
      service: WEB,
      real: A,
      from: 'up',
      to: 'down',
      hasMovedServer: true,
    } as unknown as Transition)
    record.transition?.({
      service: WEB,
      real: A,
      from: 'up',
      to: 'down',
      hasMovedServer: false,
    } as unknown as Transition)
    await record.close()
    const check = 'web/[fd00:1::a]:80/http'
    const up = { t: 7, check, ok: true, reason: null, detail: '200 OK', phase: null, ms: 1 }
    assert.deepEqual(await changesIn(folder), [
      { ...up, phase: passed().phase, ms: Math.round(passed().ms), policy: CHECK?.policy },
      {
        ...up,
        ok: false,
        reason: 'timeout',
        detail: 'no answer in 3000 ms',
        phase: passed().phase,
        ms: Math.round(passed().ms),
      },
      { ...up, phase: passed().phase, ms: Math.round(passed().ms) },
      { t: 7, real: 'web/[fd00:1::a]:80', from: 'up', to: 'down' },
    ])
  })

  it('writes the weight that a check advises, alone where nothing else changes', async () => {
    const folder = join(temporaryFolder(), 'results')
    const record = new ResultRecord({ folder, log: recordingLog().log, now: () => 7 })
    record.config(lasting(86_400_000))
    const agent = (detail: string, advice?: CheckResult['advice']): CheckResult => ({
      ...passed(detail),
      ...(advice && { advice }),
    })
    const results = [
      agent('said 75%', { percent: 75 }),
      agent('said 75%', { percent: 75 }),
      agent('said 70%', { percent: 70 }),
      agent('said 70%', { percent: 70, most: { weight: 20 } }),
      agent('said 9', { weight: 9 }),
      agent('said 9'),
      silent(3),
      agent('said 8', { weight: 8 }),
    ]
    for (const result of results) record.result?.(subscribers, result)
    await record.close()
    const check = 'web/[fd00:1::a]:80/http'
    assert.deepEqual(
      (await changesIn(folder)).map(entry => {
        const { detail, weight, policy: _, ...rest } = entry as Record<string, unknown>
        return [detail, weight, Object.keys(rest).length]
      }),
      [
        ['said 75%', '75%', 6],
        [undefined, '70%', 2],
        [undefined, '70%<20', 2],
        ['said 9', 9, 6],
        [undefined, null, 2],
        ['no answer in 3 ms', undefined, 6],
        ['said 8', 8, 6],
      ],
    )
    assert.deepEqual((await changesIn(folder))[1], { t: 7, check, weight: '70%' })
  })

  it('writes when it begins and ends, and each minute that it goes on', async () => {
    const folder = join(temporaryFolder(), 'results')
    let now = 0
    const record = new ResultRecord({ folder, log: recordingLog().log, now: () => now })
    record.config(lasting(86_400_000))
    for (; now <= 150_000; now += 30_000) record.result?.(subscribers, passed('200 OK'))
    await record.close()
    const entries = (await entriesOf(folder)) as Readonly<Record<string, unknown>>[]
    assert.deepEqual(
      entries.map(({ t, check, begin, end, alive }) => [
        t,
        check ? 'check' : Object.keys({ begin, end, alive }).find((_, i) => [begin, end, alive][i]),
      ]),
      [
        [0, 'begin'],
        [0, 'check'],
        [60_000, 'alive'],
        [120_000, 'alive'],
        [180_000, 'end'],
      ],
    )
  })

  it('writes the policy of a check again with each configuration, and what damping does', async () => {
    const folder = join(temporaryFolder(), 'results')
    const record = new ResultRecord({ folder, log: recordingLog().log, now: () => 7 })
    for (let i = 0; i < 2; i++) {
      record.config(lasting(86_400_000))
      record.result?.(subscribers, passed())
      record.result?.(subscribers, silent(3))
    }
    record.damping?.({ service: WEB, real: A, hold: 'free', state: 'up' } as unknown as DampingChange)
    await record.close()
    const changes = (await changesIn(folder)) as Readonly<Record<string, unknown>>[]
    assert.deepEqual(
      changes.slice(0, 4).map(({ policy }) => policy),
      [CHECK?.policy, undefined, CHECK?.policy, undefined],
    )
    assert.deepEqual(changes[4], { t: 7, real: 'web/[fd00:1::a]:80', hold: 'free', state: 'up' })
  })

  it('hears no result and makes no folder unless it is configured', async () => {
    const folder = join(temporaryFolder(), 'results')
    const record = new ResultRecord({ folder, log: recordingLog().log })
    record.config(lasting(null))
    assert.equal(record.result, undefined)
    record.config(lasting(1000))
    assert.notEqual(record.result, undefined)
    record.config(lasting(null))
    assert.equal(record.result, undefined)
    await record.close()
    assert.equal(existsSync(folder), false)
  })
})
