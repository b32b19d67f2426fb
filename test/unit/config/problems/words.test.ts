import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readEndpoint } from '../../../../src/config/endpoints.js'
import { portLookup } from '../../../../src/config/ports.js'
import { locator } from '../../../../src/config/problems/position.js'
import { newReport } from '../../../../src/config/problems/report.js'
import { closestMatch, didYouMean, didYouMeanOf, distance } from '../../../../src/util/closest-match.js'

describe('words: the nearest word', () => {
  it('is listed with the first of many others where none is near', () => {
    assert.equal(didYouMeanOf('x', ['mail', 'web']), '; there are: mail, web')
    const many = Array.from({ length: 2000 }, (_, n) => `server${n}`)
    assert.match(didYouMeanOf('x', many), /^; there are: server0, .*, server19 and 1980 more$/)
  })

  const cases: readonly (readonly [string, readonly string[], string | null])[] = [
    ['recieve', ['request', 'receive'], 'receive'],
    ['WLC', ['rr', 'wlc'], 'wlc'],
    ['wcl', ['wrr', 'wlc', 'lc'], 'wlc'],
    ['sheduler', ['scheduler', 'scheduler-flags'], 'scheduler'],
    ['banana', ['request', 'receive'], null],
    ['htp', ['ftp', 'http'], 'http'],
    ['command', ['checkcommand', 'arguments'], 'checkcommand'],
    ['check', ['checkcommand', 'checkport'], null],
    ['checkco', ['checkport', 'checkcount'], 'checkcount'],
    ['emailalertfr', ['emailalert', 'emailalertfrom'], 'emailalertfrom'],
    ['x', ['rr', 'lc'], null],
    ['', ['rr'], null],
    ['x'.repeat(1000), ['rr'], null],
  ]
  for (const [word, candidates, expected] of cases) {
    it(`of "${word.slice(0, 20)}" among ${candidates.join(', ')} is ${expected}`, () => {
      assert.equal(closestMatch(word, candidates), expected)
      assert.equal(didYouMean(word, candidates), expected === null ? '' : `; did you mean "${expected}"?`)
    })
  }

  it('is counted in edits: none for the same word, one for a swap, and the same both ways', () => {
    assert.equal(distance('weight', 'weigth'), 1)
    const word = fc.string({ maxLength: 6 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(distance(a, b), distance(b, a))
        assert.equal(distance(a, b) === 0, a === b)
      }),
    )
  })
})

describe('words: port names', () => {
  const ports = portLookup(
    '# names\nhttp 80/tcp www # web\nsyslog 514/udp\nshell 514/tcp\nexec 512/tcp\nbiff 512/udp\nbroken\n\n',
  )
  const cases: readonly (readonly [string, string, number | null])[] = [
    ['http', 'tcp', 80],
    ['www', 'tcp', 80],
    ['http', 'udp', 80],
    ['syslog', 'udp', 514],
    ['https', 'tcp', 443],
    ['broken', 'tcp', null],
    ['constructor', 'tcp', null],
  ]
  for (const [name, protocol, port] of cases) {
    it(`${name} over ${protocol} is ${port}`, () => assert.equal(ports(name, protocol), port))
  }
})

describe('words: address and port', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['[2001:DB8::1]:http', { host: '2001:db8::1', port: 80, hasPort: true }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: null, hasPort: false }],
    ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80, hasPort: true }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65_535, hasPort: true }],
    ['web_1.example', { host: 'web_1.example', port: null, hasPort: false }],
    ['2001:db8::1', 'BRACKETS_NEEDED'],
    ['::1:18003', 'BRACKETS_NEEDED'],
    ['2001:db8::1:http', 'BRACKETS_NEEDED'],
    [':::80', 'BRACKETS_NEEDED'],
    ['::1:18003:1', 'BAD_ADDRESS'],
    ['[2001:db8::1]:65536', 'BAD_PORT'],
    ['192.0.2.1:', 'BAD_ADDRESS'],
    ['192.0.2', 'BAD_ADDRESS'],
    ['[192.0.2.1]:80', 'BAD_ADDRESS'],
    ['', 'BAD_ADDRESS'],
  ]
  for (const [text, expected] of cases) {
    it(`of "${text}" ${typeof expected === 'string' ? `is ${expected}` : 'are read'}`, () => {
      const report = newReport('site.yaml')
      const at = { line: 1, column: 1, length: 1 }
      const endpoint = readEndpoint(text, at, { report, ports: portLookup(''), protocol: 'tcp' })
      if (typeof expected === 'string')
        assert.deepEqual(
          report.problems().map(({ code }) => code),
          [expected],
        )
      else
        assert.deepEqual(
          endpoint && { host: endpoint.host, port: endpoint.port, hasPort: endpoint.hasPort },
          expected,
        )
    })
  }
})

describe('words: an address without brackets', () => {
  it('is told with them, where a port follows that cannot be its last group', () => {
    const report = newReport('site.yaml')
    const at = { line: 1, column: 1, length: 1 }
    readEndpoint('::1:18003', at, { report, ports: portLookup(''), protocol: 'tcp' })
    assert.deepEqual(
      report.problems().map(({ message }) => message),
      ['an IPv6 address with a port needs brackets: [::1]:18003'],
    )
  })
})

describe('words: positions', () => {
  it('are lines and columns from 1, of every offset', () => {
    const text = 'ab\n\ncé😀x\n'
    const locate = locator(text)
    const places = [...text].map((_, i) => locate(i)).map(({ line, column }) => `${line}:${column}`)
    assert.deepEqual(places.slice(0, 6), ['1:1', '1:2', '1:3', '2:1', '3:1', '3:2'])
    assert.deepEqual(locate(text.indexOf('x')), { line: 3, column: 4, length: 1 })
    assert.deepEqual(locate(text.length), { line: 4, column: 1, length: 1 })
  })

  it('end with the line', () => {
    assert.equal(locator('key: value  \nmore\n')(5, 17).length, 5)
  })
})
