import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ResultRecord } from '../../../src/events/result-record.js'
import type { Transition } from '../../../src/health/health-changes.js'
import type { Subscriber } from '../../../src/health/jobs.js'
import { adviceOf, RecordingError, readRecording } from '../../../src/simulate/recording.js'
import { lineFor } from '../../../src/storage/checked-line.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { HEAD, recordingOf } from '../../support/simulate/recordings.js'
import { config, failed, passed, real, service, use } from '../../support/tables.js'

const CHECK = 'web/[fd00::1]:80/http'
const RESULT = { check: CHECK, ok: true, reason: null, detail: 'ok', phase: null, ms: 1 }

describe('readRecording', () => {
  it('reads what the daemon has recorded', async () => {
    const site = config([service('web', { reals: [real('fd00::1', { checks: [use('http')] })] })], {
      record: 1e9,
    })
    const [web] = site.services
    const [one] = web?.reals ?? []
    const subscribers = [{ service: web, real: one, use: one?.checks[0] }] as unknown as readonly Subscriber[]
    const folder = join(temporaryFolder(), 'results')
    let now = 1000
    const record = new ResultRecord({ folder, log: recordingLog().log, now: () => now })
    record.config(site)
    record.result?.(subscribers, { ...passed('200'), advice: { percent: 75, most: { weight: 20 } } })
    now = 2000
    record.result?.(subscribers, failed())
    record.transition?.({
      service: web,
      real: one,
      from: 'up',
      to: 'down',
      hasMovedServer: true,
    } as unknown as Transition)
    now = 3000
    await record.close()
    const { sessions, checks, reals, problems } = readRecording(folder)
    assert.deepEqual(sessions, [{ from: 1000, to: 3000 }])
    assert.deepEqual([...checks.keys()], [CHECK])
    const [first, second] = checks.get(CHECK) ?? []
    assert.deepEqual(
      [first?.t, first?.ok, first?.advice],
      [1000, true, { percent: 75, most: { weight: 20 } }],
    )
    assert.deepEqual(first?.policy, one?.checks[0]?.policy)
    assert.deepEqual(
      [second?.t, second?.ok, second?.policy, second?.advice],
      [2000, false, undefined, undefined],
    )
    assert.deepEqual([...reals], [['web/[fd00::1]:80', [{ t: 2000, state: 'down' }]]])
    assert.deepEqual(problems, [])
  })

  it('ends a time with the last entry where the daemon was killed', () => {
    const folder = recordingOf([
      { t: 1, begin: true },
      { t: 2, ...RESULT },
      { t: 60_002, alive: true },
      { t: 900_000, begin: true },
      { t: 900_001, ...RESULT },
      { t: 900_005, end: true },
      { closed: true },
    ])
    assert.deepEqual(readRecording(folder).sessions, [
      { from: 1, to: 60_002 },
      { from: 900_000, to: 900_005 },
    ])
  })

  it('takes a change of the weight alone as a result with it', () => {
    const folder = recordingOf([
      { t: 1, ...RESULT, weight: '75%' },
      { t: 2, check: CHECK, weight: 20 },
      { t: 3, check: CHECK, weight: null },
    ])
    assert.deepEqual(
      readRecording(folder)
        .checks.get(CHECK)
        ?.map(({ t, ok, advice }) => [t, ok, advice]),
      [
        [1, true, { percent: 75 }],
        [2, true, { weight: 20 }],
        [3, true, undefined],
      ],
    )
  })

  it('names lines that are damaged, reads the others, and leaves the files as they are', () => {
    const folder = recordingOf([{ t: 1, ...RESULT }])
    const file = join(folder, '00000001.log')
    appendFileSync(
      file,
      `00000000 {"t":2}\n${lineFor({ t: 'soon' })}${lineFor({ t: 3, ...RESULT, ok: 7 })}${lineFor({ t: 4, end: true })}`,
    )
    const { problems, sessions } = readRecording(folder)
    assert.deepEqual(
      problems,
      [3, 4, 5].map(line => `${file}:${line}: this line is damaged`),
    )
    assert.deepEqual(sessions, [{ from: 1, to: 4 }])
  })

  it('is content with a line that is still being written', () => {
    const folder = recordingOf([{ t: 1, ...RESULT }])
    appendFileSync(join(folder, '00000001.log'), '1234 {"t":')
    assert.deepEqual(readRecording(folder).problems, [])
  })

  it('says what is there in place of a recording', () => {
    const state = temporaryFolder()
    mkdirSync(join(state, 'lvsd-results'))
    const text = join(state, 'notes.txt')
    writeFileSync(text, 'no recording\n')
    const newer = recordingOf([], { ...HEAD, version: 2 })
    const events = recordingOf([], { lvsd: 'events', version: 1 })
    const rows: [path: string, message: RegExp][] = [
      [join(state, 'gone'), /gone does not exist/],
      [state, /holds no recording: .*; did you mean .*\/lvsd-results\?/],
      [text, /notes\.txt:1: this is no recording of check results/],
      [newer, /00000001\.log:1: a newer lvsd has written this recording/],
      [events, /00000001\.log:1: this is no recording/],
      [recordingOf([]), /holds no results/],
    ]
    for (const [path, message] of rows)
      assert.throws(
        () => readRecording(path),
        (error: unknown) => error instanceof RecordingError && message.test(error.message),
        path,
      )
  })

  it('reads weights', () => {
    assert.deepEqual(['75%', 20, '20', '75%<100', '5<50%', 'x', '75%<x'].map(adviceOf), [
      { percent: 75 },
      { weight: 20 },
      { weight: 20 },
      { percent: 75, most: { weight: 100 } },
      { weight: 5, most: { percent: 50 } },
      null,
      { percent: 75 },
    ])
  })
})
