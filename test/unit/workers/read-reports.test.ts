/** What comes from a worker is a list of reports, or nothing. */
import assert from 'node:assert/strict'
import { readReports } from '../../../src/workers/read-reports.js'

const ANSWER = { ok: true, reason: null, detail: 'fine' }
const REPORTS = [
  { say: 'ready' },
  { say: 'loaded', module: 'file:///a.mjs', problem: null },
  { say: 'loaded', module: 'file:///a.mjs', problem: 'not there' },
  { say: 'answer', run: 1, answer: ANSWER, at: 5 },
  { say: 'phase', run: 1, time: { phase: 'connect', ms: 1.5 }, place: 0 },
  { say: 'entered', run: 1, phase: 'own words' },
  { say: 'settled', run: 1 },
  { say: 'fault', fault: { kind: 'threw', detail: 'late', run: null } },
  { say: 'output', bytes: 3, beginning: 'abc', run: 1 },
]
const ODD: readonly unknown[] = [null, undefined, 7, 'x', [], {}, { toString: 1 }, true, Number.NaN]

describe('readReports', () => {
  it('accepts the reports of workers', () => {
    assert.deepEqual(readReports(REPORTS), REPORTS)
    assert.deepEqual(readReports([]), [])
  })

  it('rejects everything else', () => {
    for (const odd of ODD.filter(one => !Array.isArray(one))) assert.equal(readReports(odd), null)
    for (const odd of ODD) assert.equal(readReports([...REPORTS, odd]), null)
  })

  it('rejects a report with an invalid part', () => {
    const broken = (report: object) =>
      Object.keys(report).flatMap(key => ODD.map(odd => ({ ...report, [key]: odd })))
    for (const report of REPORTS)
      for (const odd of broken(report)) {
        const read = readReports([odd])
        // Some of what is odd for one key is right for another.
        if (read) assert.deepEqual(read, [odd])
      }
    for (const key of ['kind', 'detail'])
      for (const odd of ODD.filter(one => typeof one !== 'string'))
        assert.equal(
          readReports([{ say: 'fault', fault: { kind: 'threw', detail: '', run: null, [key]: odd } }]),
          null,
        )
    for (const odd of ODD) assert.equal(readReports([{ say: 'answer', run: 1, answer: odd, at: 5 }]), null)
  })

  it('cuts long texts', () => {
    const long = 'x'.repeat(100_000)
    const text = JSON.stringify(
      readReports([
        { say: 'answer', run: 1, answer: { ok: false, reason: 'error', detail: long }, at: 5 },
        { say: 'fault', fault: { kind: 'threw', detail: long, run: null } },
        { say: 'output', bytes: 1, beginning: long, run: null },
      ]),
    )
    assert.ok(text.length < 6000)
  })
})
