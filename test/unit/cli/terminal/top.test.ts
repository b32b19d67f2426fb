import assert from 'node:assert/strict'
import { RateHistory } from '../../../../src/cli/terminal/rates.js'
import { sparkline } from '../../../../src/cli/terminal/sparkline.js'
import { amount, Top } from '../../../../src/cli/terminal/top.js'
import { NOW, realStatus, serviceStatus, statusDocument } from '../../../support/cli/documents.js'

const VIEW = { width: 120, colour: false, now: NOW }
const real = realStatus({ name: 'r1' })
const idle = realStatus({ name: 'r2', host: '2001:db8:1::13', address: '[2001:db8:1::13]' })

/** A document whose counters were read `seconds` after the first, with this many connections and bytes. */
function read(seconds: number, connections: number, inBytes = 0) {
  const counters = { ...real.counters, connections, inBytes } as NonNullable<typeof real.counters>
  const document = statusDocument({
    services: [
      serviceStatus({
        counters: { ...counters, connectionRate: 7 },
        reals: [
          { ...idle, counters: { ...counters, connections: 0, inBytes: 0, active: 0 } },
          { ...real, counters },
        ],
      }),
    ],
  })
  return {
    ...document,
    reconcile: { ...document.reconcile, countersAt: new Date(NOW + seconds * 1000).toISOString() },
  }
}

describe('rates: a history', () => {
  it("begins with the kernel's estimate, and continues with differences over time", () => {
    const rates = new RateHistory()
    rates.take(read(0, 100))
    assert.equal(rates.of('web').connections, 7)
    rates.take(read(2, 150, 4000))
    assert.deepEqual([rates.of('web').connections, rates.of('web r1').inBytes], [25, 2000])
    assert.deepEqual(rates.historyOf('web'), [7, 25])
  })

  it('takes the same reading once', () => {
    const rates = new RateHistory()
    for (const document of [read(0, 100), read(2, 150), read(2, 150)]) rates.take(document)
    assert.deepEqual(rates.historyOf('web'), [7, 25])
  })

  it('counts a new entry of the table from 0', () => {
    const rates = new RateHistory()
    for (const document of [read(0, 100), read(1, 30)]) rates.take(document)
    assert.equal(rates.of('web').connections, 30)
  })

  it('has no rate for an unknown server, and drops removed ones', () => {
    const rates = new RateHistory()
    rates.take(read(0, 100))
    rates.take({ ...read(1, 100), services: [] })
    assert.equal(rates.of('web').connections, 0)
  })
})

describe('sparkline: a line of bars', () => {
  it('is relative to its highest value, and has the newest at the right', () => {
    assert.equal(sparkline([0, 5, 10], 5), '  ▁▅█')
    assert.equal(sparkline([1, 0, 0], 2), '▁▁')
  })
})

describe('amount: a number in five characters', () => {
  for (const [value, text] of [
    [0, '0'],
    [0.04, '0'],
    [0.44, '0.4'],
    [9.94, '9.9'],
    [9.96, '10'],
    [999.4, '999'],
    [999.6, '1k'],
    [1234, '1.2k'],
    [350_000_000, '350M'],
  ] as const)
    it(`${value} is ${text}`, () => assert.equal(amount(value), text))
})

describe('top: its content', () => {
  const top = new Top('connections')
  top.take(read(0, 100))
  top.take(read(1, 350))

  it('puts the busiest first, and folds what has no traffic', () => {
    const [section] = top.sections(read(1, 350), VIEW)
    assert.deepEqual(
      section?.items.map(({ id, isQuiet }) => [id, isQuiet]),
      [
        ['web r1', false],
        ['web r2', true],
      ],
    )
    assert.match(section?.head.join('\n') ?? '', /CONN\/S.*\n.*web tcp \[2001:db8::80\]:80 +250 /)
  })

  it('has fewer columns on a narrow screen', () => {
    const lines = (width: number) =>
      top.sections(read(1, 350), { ...VIEW, width }).flatMap(({ head }) => head)
    for (const width of [60, 80, 120]) for (const line of lines(width)) assert.ok(line.length <= width, line)
    assert.ok(!lines(80).join().includes('PKT/S') && lines(200).join().includes('PKT/S OUT'))
  })

  it('shows which server is down at 80 columns, however long the addresses are', () => {
    const host = '2001:db8:1234:5678:9abc:def0:1234:5678'
    const down = { ...real, host, address: `[${host}]`, state: 'down' as const }
    const [section] = new Top('connections').sections(
      statusDocument({ services: [serviceStatus({ reals: [down] })] }),
      { ...VIEW, width: 80 },
    )
    assert.match(section?.items[0]?.lines[0] ?? '', /^ {2}down .*5678\]:80 /)
  })

  it('sorts by another key, and in turn', () => {
    const other = new Top('connections')
    assert.ok(other.press('n') && other.press('s'))
    assert.ok(!other.press('x'))
    assert.match(other.head(read(0, 1), VIEW).flat().join(), /sorted by new connections/)
  })

  it('names the units in its head', () => {
    assert.match(
      top.head(read(1, 350), VIEW).flat().join('\n'),
      /250 new connections\/s · in 0 bytes\/s, 0 packets\/s · out 0 bytes\/s, 0 packets\/s/,
    )
  })

  it('prints the same as JSON', () => {
    const [service] = top.data(read(1, 350)).services
    assert.equal(service?.rates.connections, 250)
    assert.deepEqual(
      service?.reals.map(({ real, active }) => [real, active]),
      [
        ['r2', 0],
        ['r1', 3],
      ],
    )
  })
})
