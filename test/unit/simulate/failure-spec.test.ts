import assert from 'node:assert/strict'
import {
  DEFAULT_FAILURES,
  FailureSpecError,
  NO_FAILURES,
  parseFailures,
  parseSpan,
} from '../../../src/simulate/failure-spec.js'

describe('parseFailures', () => {
  it('takes what is left out from the defaults', () => {
    assert.deepEqual(parseFailures('mttf=2d, mttr = 90s,flapping=1%,false=1e-4'), {
      ...DEFAULT_FAILURES,
      mttf: 172_800_000,
      mttr: 90_000,
      flapping: 0.01,
      false: 0.0001,
    })
    assert.deepEqual(parseFailures(''), DEFAULT_FAILURES)
    assert.deepEqual(parseFailures('none'), NO_FAILURES)
  })

  const wrong: [text: string, at: number, message: RegExp][] = [
    ['mttf=30d,mtr=5m', 10, /"mtr" is no part of a failure model; did you mean "mttr"\?/],
    ['mttf=30d,,slow=1%', 10, /"" is no part of a failure model; there are: mttf,/],
    ['none,mttf=1h', 1, /^"none" stands alone$/],
    ['mttf=1h, none', 10, /^"none" stands alone$/],
    ['slow=1%, slow=2%', 10, /"slow" is there twice/],
    ['mttr=soon', 1, /the value of "mttr" is "soon", and it has to be a duration/],
    ['latency=0ms', 1, /has to be a duration/],
    ['false=101%', 1, /"false" is "101%", and it has to be a share/],
    ['false=-1', 1, /has to be a share/],
    ['mttf', 1, /the value of "mttf" is ""/],
    ['toString=1', 1, /"toString" is no part/],
  ]
  for (const [text, at, message] of wrong)
    it(`says where the mistake is: ${text}`, () => {
      assert.throws(
        () => parseFailures(text),
        (error: unknown) =>
          error instanceof FailureSpecError && error.at === at && message.test(error.message),
      )
    })

  it('reads days', () => {
    assert.deepEqual(['1.5d', '24h', '90', '0d', 'd'].map(parseSpan), [
      129_600_000,
      86_400_000,
      90_000,
      null,
      null,
    ])
  })
})
