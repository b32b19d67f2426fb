import assert from 'node:assert/strict'
import { reasonAndDetail } from '../../../src/api/status-reason.js'

describe('build-status: the reason of a server that is down', () => {
  for (const [reason, detail, expected] of [
    [
      'status',
      'status 500 Internal Server Error, expected 200-299',
      'status 500 Internal Server Error, expected 200-299',
    ],
    ['status', 'exit 2: CRITICAL', 'status: exit 2: CRITICAL'],
    ['timeout', 'no answer within 3000 ms', 'timeout: no answer within 3000 ms'],
    ['refused', 'refused', 'refused'],
  ] as const)
    it(`${reason}, ${detail}`, () => assert.equal(reasonAndDetail(reason, detail), expected))
})
