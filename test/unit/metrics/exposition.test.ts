/** The text of metrics: that of lvsd is that of prom-client. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encode, encodeByLibrary, type Format } from '../../../src/metrics/exposition.js'
import { sample } from '../../../src/metrics/families.js'

const label = fc.constantFrom('service', 'real', 'state')
const text = fc.oneof(fc.string(), fc.constantFrom('\\', '"', '\n', '\\n', 'a\\"b\nc', '{},=', '\u2028'))
const labels = fc.dictionary(label, text)
const shared = fc.dictionary(fc.constantFrom('effect', 'source'), text)
const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat())

describe('exposition: the text of a metric', () => {
  for (const format of ['text', 'openmetrics'] as const satisfies readonly Format[])
    for (const name of ['lvsd_real_override', 'lvsd_events_total'] as const)
      it(`is as prom-client writes it, whatever labels and values are: ${name}, ${format}`, () =>
        fc.assert(
          fc.asyncProperty(fc.array(fc.tuple(value, labels, shared)), async rows => {
            const samples = rows.map(([number, own, common]) => sample(number, own, common))
            assert.equal(await encode(name, samples, format), await encodeByLibrary(name, samples, format))
          }),
        ))
})
