import { defineCheck } from '../src/check/check.js'
import { matchOf, matchOptions, matchProblem, unescapeBytes } from './lib/match.js'

/** Sends `request` and searches `receive` in the answer. Without a request it waits for the banner. */
export const check = defineCheck({
  name: 'simpletcp',
  summary: 'sends text over TCP and looks for an answer',

  options: kit => ({
    request: kit.text(
      '',
      'Text to send; \\n, \\r, \\t, \\0, \\\\ and \\xHH are understood; empty sends nothing',
    ),
    ...matchOptions(kit),
    halfclose: kit.flag(true, 'Close the sending side after the request, as ldirectord does'),
    limit: kit.number(65_536, 'Bytes of the answer that are searched', { min: 1, max: 16_777_216 }),
  }),

  validate: options => matchProblem(options),

  probe({ address, port }, { request, receive, text, halfclose, limit }) {
    // ldirectord matches line by line. With the flag `m`, ^ and $ match at line ends, too.
    const match = matchOf({ receive, text }, 'm')
    const judge = match ? ({ kind: 'match', match, limit } as const) : ({ kind: 'any' } as const)
    const send = unescapeBytes(request)
    return { kind: 'tcp', address, port, send, end: halfclose && send.length > 0, reset: false, judge }
  },
})
