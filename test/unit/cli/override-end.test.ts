import assert from 'node:assert/strict'
import { CommandError } from '../../../src/cli/command.js'
import { endOf } from '../../../src/cli/override-end.js'
import { onCleanup } from '../../support/after-each.js'

const HOUR = 3_600_000

/** Berlin sets its clocks on 2026-03-29 at 02:00 to 03:00, and on 2026-10-25 at 03:00 to 02:00. */
function inBerlin(): void {
  const before = process.env.TZ
  process.env.TZ = 'Europe/Berlin'
  onCleanup(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
}

const end = (options: { for?: string; until?: string }, now: string) => {
  const at = endOf({ for: options.for, until: options.until }, Date.parse(now), 'drain')
  return at === null ? null : new Date(at).toISOString()
}

describe('override-end: the end of an override', () => {
  const NOON = '2026-11-28T11:00:00.000Z'
  const rows: [options: { for?: string; until?: string }, now: string, expected: string | null][] = [
    [{}, NOON, null],
    [{ for: '90s' }, NOON, '2026-11-28T11:01:30.000Z'],
    [{ for: '2h' }, NOON, '2026-11-28T13:00:00.000Z'],
    [{ for: '3d' }, NOON, '2026-12-01T11:00:00.000Z'],
    [{ for: '30' }, NOON, '2026-11-28T11:00:30.000Z'],
    [{ until: '13:30' }, NOON, '2026-11-28T12:30:00.000Z'],
    [{ until: '06:00' }, NOON, '2026-11-29T05:00:00.000Z'],
    [{ until: '6:00:30' }, NOON, '2026-11-29T05:00:30.000Z'],
    [{ until: '12:00' }, NOON, '2026-11-29T11:00:00.000Z'],
    [{ until: '2026-12-24T18:00' }, NOON, '2026-12-24T17:00:00.000Z'],
    [{ until: '2026-12-24T18:00Z' }, NOON, '2026-12-24T18:00:00.000Z'],
    [{ until: '02:30' }, '2026-03-28T22:00:00.000Z', '2026-03-29T01:30:00.000Z'],
    [{ until: '02:30' }, '2026-10-24T22:00:00.000Z', '2026-10-25T00:30:00.000Z'],
    [{ until: '06:00' }, '2026-10-24T22:00:00.000Z', '2026-10-25T05:00:00.000Z'],
  ]
  for (const [options, now, expected] of rows)
    it(`of ${JSON.stringify(options)} at ${now} in Berlin is ${expected}`, () => {
      inBerlin()
      assert.equal(end(options, now), expected)
    })

  const wrong: [options: { for?: string; until?: string }, sentence: RegExp][] = [
    [{ for: 'soon' }, /--for takes a duration such as 90s, 30m or 2h, not "soon"/],
    [{ for: '99999999d' }, /ends after the year 9999/],
    [{ until: '+012345-01-01T00:00' }, /--until takes a time/],
    [{ for: '0s' }, /--for takes a duration/],
    [{ until: '25:00' }, /--until takes a time such as 06:00/],
    [{ until: '2026-11-27T06:00' }, /is in the past/],
    [{ until: 'tomorrow' }, /--until takes a time/],
    [{ for: '1h', until: '06:00' }, /either --for or --until/],
  ]
  for (const [options, sentence] of wrong)
    it(`of ${JSON.stringify(options)} is refused`, () => {
      assert.throws(
        () => end(options, NOON),
        (error: Error) => error instanceof CommandError && sentence.test(error.message),
      )
    })

  it('has the given distance, also when clocks change', () => {
    inBerlin()
    const before = Date.parse('2026-10-24T22:00:00.000Z')
    assert.equal(endOf({ for: '6h', until: undefined }, before, 'drain'), before + 6 * HOUR)
  })
})
