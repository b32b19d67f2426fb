import { defineCheck } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { hexBytes, matchOf, matchOptions, matchProblem, unescapeBytes } from './lib/match.js'

/**
 * Sends one datagram. With `receive`, `text` or `reply` the server must answer. Otherwise only a port-unreachable error
 * fails the check; silence passes, but proves nothing, as the result says.
 */
export const check = defineCheck({
  name: 'udp',
  summary: 'sends a datagram; may expect an answer',
  connects: false,

  options: kit => ({
    request: kit.text('', 'Text to send; \\n, \\r, \\t, \\0, \\\\ and \\xHH are understood'),
    hex: kit.maybeText('Bytes to send instead, in hexadecimal: 00 1c ff'),
    ...matchOptions(kit),
    reply: kit.flag(false, 'Require an answer; any answer passes'),
    patience: kit.duration('500ms', 'How long to wait for a port-unreachable where no answer is expected'),
  }),

  validate(options) {
    const { request, hex } = options
    if (hex !== null && request !== '')
      return problemOf('hex', 'give request (text) or hex (bytes), not both')
    if (hex !== null && !hexBytes(hex))
      return problemOf('hex', 'hex takes pairs of hexadecimal digits, such as 00 1c ff')
    return matchProblem(options)
  },

  probe({ address, port }, { request, hex, receive, text, reply, patience }) {
    const match = matchOf({ receive, text })
    const expected = match ? ({ kind: 'match', match, limit: 65_536 } as const) : null
    const send = hex === null ? unescapeBytes(request) : (hexBytes(hex) ?? new Uint8Array())
    return {
      kind: 'udp',
      address,
      port,
      send,
      judge: expected ?? (reply ? { kind: 'any' } : null),
      patience,
    }
  },
})
