import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Answer } from '../../../src/check/check.js'
import type { Judge, Match } from '../../../src/check/probe-spec.js'
import type { Reason } from '../../../src/core/model.js'
import { HEAD_LIMIT } from '../../../src/probe/match-http.js'
import { compileJudge } from '../../../src/probe/matcher.js'
import { NEEDS_CODE } from '../../../src/probe/needs-code.js'

type HttpJudge = Extract<Judge, { kind: 'http' }>

const text = (wanted: string): Match => ({ kind: 'text', text: wanted })
const regexp = (source: string, flags = ''): Match => ({ kind: 'regexp', source, flags })

function http(over: Partial<HttpJudge> = {}): Judge {
  return { kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 10_000, ...over }
}

interface Heard {
  readonly answer: Answer
  /** Bytes after which it was decided; null where the end of the connection decided. */
  readonly after: number | null
}

/** Plays an answer in pieces, overwriting each after it was pushed, as the engine's shared buffer is. */
function hear(judge: Judge, pieces: readonly Uint8Array[]): Heard {
  const hearing = compileJudge(judge)()
  let after = 0
  for (const piece of pieces) {
    const shared = Buffer.from(piece)
    after += shared.length
    const answer = hearing.push(shared)
    shared.fill('#')
    if (answer) return { answer, after }
  }
  return { answer: hearing.end(), after: null }
}

function bytes(answer: string | Uint8Array): Buffer {
  return typeof answer === 'string' ? Buffer.from(answer, 'latin1') : Buffer.from(answer)
}

function oneByOne(answer: Buffer): Buffer[] {
  return [...answer].map(byte => Buffer.from([byte]))
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('matcher: the HTTP judge', () => {
  it('defers where it is told to, as soon as it knows the status', () => {
    const judge = http({ defer: [[301, 303]], status: [[200, 399]] })
    const redirect = 'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n'
    assert.equal(hear(judge, [bytes(redirect)]).answer, NEEDS_CODE)
    assert.equal(hear(judge, [bytes('HTTP/1.1 304 Not Modified\r\n\r\n')]).answer.ok, true)
    assert.equal(hear(http({ status: [[200, 399]] }), [bytes(redirect)]).answer.ok, true)
  })

  const cases: readonly [what: string, said: string | Uint8Array, judge: Judge, reason: Reason | null][] = [
    ['a body with a length', `${OK}Content-Length: 5\r\n\r\nhello`, http(), null],
    ['a body that ends with the connection', `${OK}\r\nhello`, http({ match: text('hello') }), null],
    ['an empty body', `${OK}Content-Length: 0\r\n\r\n`, http(), null],
    [
      'line ends without carriage returns',
      'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
      http({ match: text('ok') }),
      null,
    ],
    ['a status line without a reason', 'HTTP/1.1 204\r\n\r\n', http(), null],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhi', http(), null],
    ['a header in odd case and spacing', `${OK}cOnTeNt-LENGTH  :  2 \r\n\r\nok`, http(), null],
    ['the same length twice', `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, http(), null],
    [
      'an informational response before it',
      `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
      http(),
      null,
    ],
    [
      'two informational responses before it',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}\r\n`,
      http(),
      null,
    ],
    [
      'an answer to HEAD, whatever its length says',
      `${OK}Content-Length: 5000\r\n\r\n`,
      http({ method: 'HEAD' }),
      null,
    ],
    [
      'no content, whatever its length says',
      'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n',
      http(),
      null,
    ],
    [
      'not modified',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n',
      http({ status: [[304, 304]] }),
      null,
    ],
    [
      'switching protocols where that is asked for',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      http({ status: [[101, 101]] }),
      null,
    ],
    [
      'chunks',
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`,
      http({ match: text('lo wo') }),
      null,
    ],
    [
      'chunks with a trailer',
      `${OK}Transfer-Encoding: gzip, chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n`,
      http(),
      null,
    ],
    [
      'chunks although a length is given',
      `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      http({ match: text('ok') }),
      null,
    ],
    [
      'another coding, which ends with the connection',
      `${OK}Transfer-Encoding: gzip\r\n\r\nxyz`,
      http({ match: text('xyz') }),
      null,
    ],
    [
      'more than the length says',
      `${OK}Content-Length: 2\r\n\r\nok and more`,
      http({ match: regexp('^ok$') }),
      null,
    ],
    ['a body just within the limit', `${OK}Content-Length: 3\r\n\r\nabc`, http({ limit: 3 }), null],
    ['a match of text in UTF-8', Buffer.from(`${OK}\r\nGrüße, 世界`), http({ match: text('üße, 世') }), null],
    [
      'a match of a pattern in UTF-8',
      Buffer.from(`${OK}\r\nGrüße`),
      http({ match: regexp('^Gr.ße$') }),
      null,
    ],
    [
      'a match of a pattern in Latin-1',
      bytes(`${OK}\r\nGr\xfc\xdfe`),
      http({ match: regexp('^Gr.\u00dfe$') }),
      null,
    ],
    ['a match regardless of case', `${OK}\r\nHello`, http({ match: regexp('HELLO', 'i') }), null],
    [
      'a match each time it is asked, whatever the flags',
      `${OK}\r\nab`,
      http({ match: regexp('b', 'gy') }),
      null,
    ],
    [
      'several ranges of status',
      'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      http({
        status: [
          [200, 299],
          [404, 404],
        ],
      }),
      null,
    ],

    ['another status', 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\n', http(), 'status'],
    ['a redirect', 'HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n', http(), 'status'],
    [
      'a body without the match',
      `${OK}Content-Length: 5\r\n\r\nhello`,
      http({ match: text('bye') }),
      'unexpected',
    ],
    [
      'a match in the headers alone',
      `${OK}X-Bye: bye\r\nContent-Length: 2\r\n\r\nok`,
      http({ match: text('bye') }),
      'unexpected',
    ],
    [
      'a match beyond the length',
      `${OK}Content-Length: 2\r\n\r\nokbye`,
      http({ match: text('bye') }),
      'unexpected',
    ],
    ['nothing', '', http(), 'closed'],
    ['half a status line', 'HTTP/1.1 20', http(), 'truncated'],
    ['half a head', `${OK}Content-Le`, http(), 'truncated'],
    ['an informational response alone', 'HTTP/1.1 100 Continue\r\n\r\n', http(), 'truncated'],
    ['a body that breaks off', `${OK}Content-Length: 9\r\n\r\nhello`, http(), 'truncated'],
    [
      'a body that breaks off after the match',
      `${OK}Content-Length: 9\r\n\r\nhello`,
      http({ match: text('hello') }),
      'truncated',
    ],
    ['chunks that break off', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, http(), 'truncated'],
    [
      'chunks without the last one',
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      http({ match: text('hello') }),
      'truncated',
    ],
    [
      'chunks without the final blank line',
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
      http(),
      'truncated',
    ],
    ['a length beyond the limit', `${OK}Content-Length: 10001\r\n\r\n`, http(), 'too-big'],
    ['a chunk beyond the limit', `${OK}Transfer-Encoding: chunked\r\n\r\n2711\r\n`, http(), 'too-big'],
    ['a body that goes on beyond the limit', `${OK}\r\n${'x'.repeat(10_001)}`, http(), 'too-big'],
    ['headers without end', `${OK}${'X-More: more\r\n'.repeat(HEAD_LIMIT / 10)}`, http(), 'too-big'],
    ['one header without end', `${OK}X-More: ${'x'.repeat(HEAD_LIMIT)}`, http(), 'too-big'],
    [
      'a trailer without end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: y\r\n'.repeat(HEAD_LIMIT / 4)}`,
      http(),
      'too-big',
    ],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', http(), 'garbage'],
    ['a page without a head', '<html>hello</html>', http(), 'garbage'],
    ['no number in the status line', 'HTTP/1.1 OK\r\n\r\n', http(), 'garbage'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', http(), 'garbage'],
    ['a length that is no number', `${OK}Content-Length: five\r\n\r\nhello`, http(), 'garbage'],
    ['a negative length', `${OK}Content-Length: -5\r\n\r\nhello`, http(), 'garbage'],
    ['interim responses without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(33), http(), 'garbage'],
    [
      'long interim responses',
      `HTTP/1.1 103 Early Hints\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`.repeat(3),
      http(),
      'too-big',
    ],
    [
      'extensions of chunks without end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n${`1;${'x'.repeat(9000)}\r\nx\r\n`.repeat(9)}`,
      http(),
      'garbage',
    ],
    ['two lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, http(), 'garbage'],
    ['a chunk size that is none', `${OK}Transfer-Encoding: chunked\r\n\r\nhello\r\n`, http(), 'garbage'],
    [
      'a chunk longer than its size',
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n`,
      http(),
      'garbage',
    ],
    [
      'a chunk size without end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n${'0'.repeat(HEAD_LIMIT + 1)}`,
      http(),
      'garbage',
    ],
  ]

  for (const [what, said, judge, reason] of cases) {
    it(`is ${reason === null ? 'up' : `down (${reason})`} on ${what}`, () => {
      const { answer } = hear(judge, [bytes(said)])
      assert.deepEqual([answer.ok, answer.reason], [reason === null, reason], answer.detail)
      assert.doesNotMatch(answer.detail, /[^\x20-\x7e\u00a0-\uffff]/)
    })
  }

  it('gives the same verdict however the answer is cut', () => {
    const short = cases.filter(([, said]) => said.length < 400)
    fc.assert(
      fc.property(
        fc.constantFrom(...short),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }),
        ([, said, judge], sizes) => {
          const whole = bytes(said)
          const pieces: Buffer[] = []
          let at = 0
          for (const size of sizes) {
            pieces.push(whole.subarray(at, at + size))
            at += size
          }
          pieces.push(whole.subarray(at))
          const { answer } = hear(judge, pieces)
          const expected = hear(judge, [whole]).answer
          assert.deepEqual([answer.ok, answer.reason], [expected.ok, expected.reason])
        },
      ),
      { numRuns: 500 },
    )
  })

  for (const [what, said, judge, reason] of cases.filter(([, said]) => said.length < 400))
    it(`gives the same verdict byte by byte: ${what}`, () => {
      assert.equal(hear(judge, oneByOne(bytes(said))).answer.reason, reason)
    })

  it('says the same of a body without a length that is too long, however much of it has come', () => {
    const details = [10_001, 10_002, 65_000].map(
      length => hear(http(), [bytes(`${OK}\r\n`), Buffer.alloc(length)]).answer.detail,
    )
    assert.deepEqual([...new Set(details)], ['the body has 10001 bytes or more; the limit is 10000'])
  })

  it('never throws and always decides at the end, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 50 }),
            fc.constantFrom(...cases.map(([, said]) => bytes(said).subarray(0, 200))),
          ),
          { maxLength: 6 },
        ),
        pieces => {
          assert.equal(typeof hear(http({ match: text('x') }), pieces).answer.ok, 'boolean')
        },
      ),
    )
  })

  describe('decides as early as it can', () => {
    const early: readonly [what: string, said: string, rest: string, judge: Judge][] = [
      ['garbage at the first wrong byte', 'HTTQ', '/1.1 200 OK\r\n\r\n', http()],
      ['a wrong status after the headers', 'HTTP/1.1 500 No\r\n\r\n', 'x'.repeat(50), http()],
      ['a length beyond the limit after the headers', `${OK}Content-Length: 99999\r\n\r\n`, 'x', http()],
      ['an answer to HEAD after the headers', `${OK}\r\n`, 'x', http({ method: 'HEAD' })],
      [
        'a whole body, without waiting for the connection to close',
        `${OK}Content-Length: 2\r\n\r\nok`,
        'x',
        http(),
      ],
      ['the last chunk, likewise', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'x', http()],
    ]
    for (const [what, said, rest, judge] of early)
      it(what, () => {
        assert.equal(hear(judge, oneByOne(bytes(said + rest))).after, said.length)
      })
  })

  /** Exponential, or quadratic at this length, where an engine tries one way after the other. */
  const linear: readonly [source: string, body: string, isFound?: boolean][] = [
    ['a*b', 'a'.repeat(500_000)],
    ['(a+)+$', `${'a'.repeat(50)}b`],
    ['(a|a)*b', 'a'.repeat(500_000)],
    ['<html>(.|\\s)*OK', `<html>${' '.repeat(500_000)}`],
    ['<html>(.|\\s)*OK', `<html>${' '.repeat(500_000)}OK`, true],
    ['(a?){30}a{30}', 'a'.repeat(29)],
    ['(a?){30}a{30}', 'a'.repeat(500_000), true],
    ['(x+x+)+y', 'x'.repeat(500_000)],
    ['^(\\w+\\s?)*$', `${'word '.repeat(100_000)}!`],
    ['(.*a){12}', 'b'.repeat(500_000)],
    ['([a-z]+)*[0-9](?!x)', 'a'.repeat(500_000)],
  ]
  for (const [source, body, isFound = false] of linear)
    it(`searches /${source}/ in time that grows with the text alone`, () => {
      const before = performance.now()
      const { answer } = hear(http({ match: regexp(source), limit: 1_000_000 }), [bytes(`${OK}\r\n${body}`)])
      assert.equal(answer.reason, isFound ? null : 'unexpected', answer.detail)
      assert.ok(performance.now() - before < 2000)
    })

  const slow: readonly [source: string, body: string][] = [
    ['(a+)+\\1b', 'a'.repeat(500)],
    ['(?=(a+)+b)', 'a'.repeat(500)],
    ['(?!(a+)+c)[az]{501}', 'a'.repeat(500)],
    ['(?:a?){3000}(?:a?){3000}a{5000}', 'a'.repeat(4999)],
  ]
  for (const [source, body] of slow)
    it(`gives up on /${source}/ before it holds up everything else`, () => {
      const before = performance.now()
      const { answer } = hear(http({ match: regexp(source), limit: 1_000_000 }), [bytes(`${OK}\r\n${body}`)])
      assert.equal(answer.reason, 'error')
      assert.match(answer.detail, /too expensive to match/)
      assert.ok(performance.now() - before < 5000)
    })

  it('reads a body in chunks of one byte without keeping an object for each', () => {
    const chunks = Array.from({ length: 200_000 }, (_, i) => `1\r\n${i % 10}\r\n`).join('')
    const said = bytes(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)
    const pieces = Array.from({ length: Math.ceil(said.length / 60_000) }, (_, i) =>
      said.subarray(i * 60_000, (i + 1) * 60_000),
    )
    const judge = http({ match: text('9012345678901'), limit: 1_000_000 })
    assert.equal(hear(judge, pieces).answer.detail, '200 OK, found "9012345678901" in 200000 bytes')
  })

  it('finds a match at the end of a long body', () => {
    const body = `${'lorem ipsum '.repeat(50_000)}dolor`
    const judge = http({ match: regexp('d[aeiou]+lor'), limit: 1_000_000 })
    assert.equal(hear(judge, [bytes(`${OK}\r\n${body}`)]).answer.ok, true)
  })
})

describe('matcher: the judge of a match', () => {
  const match = (wanted: Match, limit = 100): Judge => ({ kind: 'match', match: wanted, limit })

  it('is up as soon as the text has come, across pieces', () => {
    const heard = hear(match(text('+OK')), oneByOne(bytes('* +OK ready')))
    assert.equal(heard.answer.ok, true)
    assert.equal(heard.after, 5)
  })

  it('is down when the limit is reached without it, even if it comes then', () => {
    const { answer, after } = hear(match(text('late'), 10), [bytes('0123456789'), bytes('late')])
    assert.equal(answer.reason, 'unexpected')
    assert.equal(after, 10)
    assert.equal(hear(match(text('late'), 10), [bytes('0123456 late')]).answer.reason, 'unexpected')
  })

  it('tells a connection closed without a byte from one that said something else', () => {
    assert.equal(hear(match(text('x')), []).answer.reason, 'closed')
    const { answer } = hear(match(regexp('x+')), [bytes('no\x1b[2J')])
    assert.equal(answer.reason, 'unexpected')
    assert.equal(answer.detail, 'closed after 6 bytes without /x+/: "no.[2J"')
  })

  it('gives the same verdict however the answer is cut', () => {
    const said = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\n'), maxLength: 30 })
    fc.assert(
      fc.property(
        said,
        fc.constantFrom(text('ab'), text('é'), regexp('a.b'), regexp('b\\n+a')),
        (what, wanted) => {
          const whole = Buffer.from(what)
          const judge = match(wanted, 1000)
          assert.equal(hear(judge, oneByOne(whole)).answer.ok, hear(judge, [whole]).answer.ok)
        },
      ),
    )
  })
})

describe('matcher: the other judges', () => {
  it('take a connection for an answer', () => {
    assert.equal(hear({ kind: 'connected' }, []).answer.ok, true)
  })

  it('take any byte for an answer, but not silence', () => {
    assert.equal(hear({ kind: 'any' }, [bytes('x')]).answer.ok, true)
    assert.equal(hear({ kind: 'any' }, []).answer.reason, 'closed')
  })
})
