import assert from 'node:assert/strict'
import { renderWhy } from '../../../../src/cli/terminal/why.js'
import type { CheckResult } from '../../../../src/core/model.js'
import { onCleanup } from '../../../support/after-each.js'
import { real, use } from '../../../support/tables.js'
import { NOW, whyReal, whyService } from '../../../support/why.js'

const at = (ms: number) => new Date(ms).toTimeString().slice(0, 8)
const A = real('fd00::a', { checks: [use('http', {}, { rise: 2, fall: 3 })] })
const sick: CheckResult = {
  ok: false,
  reason: 'unexpected',
  detail: `no "ok" in 12 bytes: \x1b[2J${'long '.repeat(30)}`,
  phase: 'body',
  ms: 1.234,
  phases: [
    { phase: 'connect', ms: 0.4 },
    { phase: 'body', ms: 1.234 },
  ],
}
const slower: CheckResult = {
  ...sick,
  ms: 1.6,
  phases: [
    { phase: 'connect', ms: 0.5 },
    { phase: 'body', ms: 1.6 },
  ],
}

describe('terminal/why', () => {
  const answers = [
    whyReal([A], {
      results: [
        ['http', slower],
        ['http', sick],
      ],
    }),
  ]
  const shown = (width: number, colour = false) =>
    renderWhy({ schema: 1, now: '', answers }, { width, colour, now: NOW })

  it('begins with the sentence, and shows each check phase by phase', () => {
    const text = shown(80)
    assert.match(text, /^web\/\[fd00::a\]:80 {2}down\nDown since .* because http fails \(unexpected: no "ok"/)
    assert.ok(text.includes('\n  expects   status 200\n'))
    assert.ok(text.includes(`\n  results   ${at(NOW)}  failed  1.2ms  2 times since ${at(NOW - 2000)}\n`))
    assert.ok(
      text.includes(
        `\n            connect 0.4ms, body 0.8ms\n            ${at(NOW - 2000)}  1.6ms: connect 0.5ms, body 1.1ms\n`,
      ),
      text,
    )
    assert.ok(text.includes('\n  overrides no override\n'))
    assert.ok(text.includes('the service is not in the table (table read 1s ago)'))
    assert.ok(text.endsWith('lvsd has written nothing here since it started'))
  })

  it('names the zone of its rows where the sentence has that of a director elsewhere', () => {
    const { TZ } = process.env
    onCleanup(() => {
      if (TZ === undefined) delete process.env.TZ
      else process.env.TZ = TZ
    })
    process.env.TZ = 'UTC'
    const made = [whyReal([A])]
    const say = (zone: string) => {
      process.env.TZ = zone
      return renderWhy({ schema: 1, now: '', answers: made }, { width: 80, colour: false, now: NOW })
    }
    assert.match(made[0]?.sentence ?? '', / UTC/)
    assert.doesNotMatch(say('UTC'), /The times below/)
    assert.match(say('Asia/Kolkata'), /\.\nThe times below are in \+05:30\.\n\n/)
  })

  it('names the other addresses of a server that has several', () => {
    const B = real('192.0.2.10')
    const say = (multihomed?: readonly (readonly string[])[]) => {
      const answers = [whyReal([A, B], multihomed && { service: { multihomed } })]
      return renderWhy({ schema: 1, now: '', answers }, { width: 200, colour: false, now: NOW })
    }
    const names = ['[fd00::a]:80', '192.0.2.10:80']
    assert.match(say([names]), /^ {2}addresses also 192\.0\.2\.10:80: .* --only this address alone$/m)
    assert.doesNotMatch(say(), /addresses/)
  })

  it('says how many results in a row change the state', () => {
    assert.match(shown(80), /^ {2}count {5}0 of 2 passed in a row; 2 more: up$/m)
    const answers = [whyReal([A], { results: [['http', { ...sick, ok: true, reason: null, detail: 'ok' }]] })]
    const text = renderWhy({ schema: 1, now: '', answers }, { width: 80, colour: false, now: NOW })
    assert.match(text, /^ {2}count {5}0 of 3 failed in a row; 3 more: down$/m)
  })

  it('says the same in the sentence and in the row of the check of when it runs next', () => {
    for (const [next, told] of [
      [{ in: 9600, isRunning: false }, 'in 9s'],
      [{ in: 8999.7, isRunning: false }, 'in 9s'],
      [{ in: 999, isRunning: false }, 'within a second'],
      [{ in: -20, isRunning: false }, 'within a second'],
      [{ in: 5000, isRunning: true }, 'now'],
    ] as const) {
      const answers = [whyReal([A], { part: { nextRun: () => next } })]
      // The command has its answer a little later than the director has made it.
      const text = renderWhy({ schema: 1, now: '', answers }, { width: 200, colour: false, now: NOW + 700 })
      assert.match(text, new RegExp(`the next check runs ${told}\\.$`.replaceAll(' ', '\\s'), 'm'))
      assert.match(text, new RegExp(`^  next run  (runs )?${told}$`, 'm'))
    }
  })

  it('tells below all runs of a group that one of them was checked early', () => {
    const hint = 'the neighbour has gone'
    const answers = [
      whyReal([A], {
        results: [
          ['http', { ...sick, hint }],
          ['http', sick],
        ],
      }),
    ]
    const text = renderWhy({ schema: 1, now: '', answers }, { width: 200, colour: false, now: NOW })
    const [, before = ''] = text.split('2 times since')
    assert.match(
      before,
      new RegExp(`^ +${at(NOW - 2000)}  .*\\n +one of them was checked early: ${hint}$`, 'm'),
    )
  })

  it('says when checks are repeated faster, and the time limit', () => {
    const answer = whyReal([A])
    const checks = answer.checks.map(check => ({
      ...check,
      policy: { ...check.policy, interval: 2000, timeout: 1000, fastinter: 1000, rise: 2, fall: 3 },
    }))
    const document = { schema: 1, now: '', answers: [{ ...answer, checks }] } as const
    const text = renderWhy(document, { width: 200, colour: false, now: NOW })
    const rule =
      'every 2s, timeout 1s; 3 failed in a row: down, 2 passed in a row: up; within such a row every 1s'
    assert.ok(text.replace(/\s+/g, ' ').includes(rule), text)
  })

  it('says when lvsd wrote the entry, and if that was before its last start', () => {
    const shownWith = (isEarlier: boolean) => {
      const written = () => ({ at: NOW - 9000, weight: 5, isEarlier })
      const document = { schema: 1, now: '', answers: [whyReal([A], { part: { written } })] }
      return renderWhy(document, { width: 80, colour: false, now: NOW })
    }
    assert.ok(shownWith(false).endsWith(`lvsd wrote weight 5 at ${at(NOW - 9000)}`))
    assert.ok(shownWith(true).endsWith(`lvsd wrote weight 5 at ${at(NOW - 9000)}, before its last start`))
  })

  it('tells the sentinel, and what brought a check forward', () => {
    const detail = 'the idle connection to the server was reset after 3.0 s'
    const answer = whyReal([A], { results: [['http', { ...sick, hint: detail }]] })
    const hints = {
      sentinel: {
        state: 'watching',
        since: new Date(NOW - 9000).toISOString(),
        restsUntil: null,
        idleLimit: 5000,
      },
      isKnocking: true,
      last: { kind: 'sentinel', detail, at: new Date(NOW - 2000).toISOString() },
    } as const
    const checks = answer.checks.map(check => ({ ...check, hints }))
    const shownWith = (answers: readonly (typeof answer)[]) =>
      renderWhy({ schema: 1, now: '', answers }, { width: 200, colour: false, now: NOW })
    const text = shownWith([{ ...answer, checks }])
    assert.ok(
      text.includes(
        `\n  sentinel  watches since ${at(NOW - 9000)}; the server closes idle connections after 5.00s\n`,
      ),
      text,
    )
    assert.match(text, /^ {2}hints {5}lvsd knocks/m)
    const sentinel = {
      state: 'waiting',
      since: null,
      restsUntil: new Date(NOW + 60_000).toISOString(),
      idleLimit: null,
    } as const
    const resting = answer.checks.map(check => ({ ...check, hints: { ...hints, sentinel } }))
    const closed = `closed until ${at(NOW + 60_000)}: a check timed out while it was open; if the server serves one connection at a time, remove sentinel: true`
    const inOneLine = shownWith([{ ...answer, checks: resting }]).replace(/\s+/g, ' ')
    assert.ok(inOneLine.includes(` sentinel ${closed} `), inOneLine)
    assert.ok(text.includes(`${at(NOW - 2000)}  checked early: ${detail}\n`))
    assert.ok(text.includes(`\n            checked early: ${detail}\n`))
    assert.doesNotMatch(shownWith([whyReal([A])]), /sentinel|hints|early/)
  })

  it('fits into 80 columns, and contains no control sequences', () => {
    for (const line of shown(80).split('\n')) assert.ok(line.length <= 80, line)
    assert.ok(!shown(80).includes('\x1b'))
    assert.ok(shown(200).split('\n').length < shown(80).split('\n').length)
    assert.ok(shown(80, true).includes('\x1b[31mdown'))
  })

  it('shows a service with a sentence for each server that is out', () => {
    const text = renderWhy(
      { schema: 1, now: '', answers: [whyService([A], { results: [['http', sick]] })] },
      { width: 80, colour: false, now: NOW },
    )
    assert.match(text, /^web {2}tcp \[2001:db8::80\]:80 {2}down\nDown since /)
    assert.match(text, /\n\n\[fd00::a\]:80 {2}down since .* because http fails/)
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
    const fine = whyService([A], { results: [['http', { ...sick, ok: true, reason: null, detail: 'ok' }]] })
    assert.match(
      renderWhy({ schema: 1, now: '', answers: [fine] }, { width: 80, colour: false, now: NOW }),
      /\n\nEvery real server is in service as configured\.$/,
    )
  })
})
