/** The histograms of lvsd have the samples of prom-client. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { METRICS, type MetricName } from '../../../src/core/metrics.js'
import { Durations } from '../../../src/metrics/durations.js'
import { CONTENT_TYPES } from '../../../src/metrics/exposition.js'
import type { Sample } from '../../../src/metrics/families.js'

const HISTOGRAMS = (Object.keys(METRICS) as MetricName[]).filter(name => METRICS[name].type === 'histogram')

/** Values on, below and above the bounds of the buckets. */
function secondsOf(name: MetricName): fc.Arbitrary<number> {
  const bounds = METRICS[name].buckets ?? []
  return fc.oneof(fc.constantFrom(0, ...bounds), fc.double({ min: 0, max: 100, noNaN: true }))
}

/** In the order of the library, of which a new value of the label opens a series. */
async function samplesOfLibrary(name: MetricName, values: readonly (readonly [number, string])[]) {
  const { help, labels, buckets = [] } = METRICS[name]
  const histogram = new Histogram({
    name,
    help,
    labelNames: [...labels],
    buckets: [...buckets],
    registers: [],
  })
  for (const [seconds, value] of values)
    histogram.observe(labels[0] === undefined ? {} : { [labels[0]]: value }, seconds)
  return (await histogram.get()).values
}

function plain(samples: readonly { value: number; labels: object; metricName?: string }[]) {
  return samples.map(({ value, labels, metricName }) => ({ value, labels: { ...labels }, metricName }))
}

describe('Durations', () => {
  it('are used for metrics with at most one label', () => {
    assert.ok(HISTOGRAMS.length >= 3)
    for (const name of HISTOGRAMS) assert.ok(METRICS[name].labels.length <= 1, name)
  })

  for (const name of HISTOGRAMS)
    it(`of ${name} have the samples of prom-client`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(secondsOf(name), fc.constantFrom('http', 'tcp', 'a"b'))),
          async values => {
            const durations = new Durations(name)
            for (const [seconds, value] of values)
              if (METRICS[name].labels.length === 0) durations.add(seconds)
              else durations.add(seconds, value)
            const samples: readonly Sample[] = durations.samples()
            assert.deepEqual(plain(samples), plain(await samplesOfLibrary(name, values)))
          },
        ),
      ))

  it('are told in the formats of prom-client', () => {
    assert.equal(CONTENT_TYPES.text, Registry.PROMETHEUS_CONTENT_TYPE)
    assert.equal(CONTENT_TYPES.openmetrics, Registry.OPENMETRICS_CONTENT_TYPE)
  })
})
