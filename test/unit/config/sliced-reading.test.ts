import assert from 'node:assert/strict'
import { LDIRECTORD } from '../../../src/config/ldirectord/dialect.js'
import { readingLdirectord } from '../../../src/config/ldirectord/read-ldirectord.js'
import { systemPorts } from '../../../src/config/ports.js'
import { validating } from '../../../src/config/validate/validate.js'
import { readYaml } from '../../../src/config/yaml/read-yaml.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import type { Sliced } from '../../../src/util/time-slice.js'

const COUNT = 640
/** Steps of as many real servers: one for every 32. */
const STEPS = COUNT / 32
const addresses = Array.from({ length: COUNT }, (_, i) => `[2001:db8:1::${(i + 1).toString(16)}]:80`)

function stepsOf<T>(work: Sliced<T>): { readonly steps: number; readonly value: T } {
  for (let steps = 0; ; steps++) {
    const step = work.next()
    if (step.done) return { steps, value: step.value }
  }
}

describe('sliced-reading: one service with many real servers', () => {
  it('can be interrupted among them, in both formats', async () => {
    const { checks } = await loadChecks()
    const ports = systemPorts()
    const cf = [
      'virtual6=[2001:db8::80]:80',
      ...addresses.map(address => `\treal6=${address} masq`),
      '',
    ].join('\n')
    const read = stepsOf(readingLdirectord(cf, 'site.cf', { checks, ports }))
    // The lines, and the real servers in them.
    assert.ok(read.steps >= 2 * STEPS, `${read.steps}`)
    const yaml = [
      'services:',
      ...['  web:', "    virtual: '[2001:db8::80]:80'", '    check: http', '    reals:'],
      ...addresses.map(address => `      - '${address} masq'`),
      '',
    ].join('\n')
    for (const [file, document, dialect] of [
      ['site.cf', read.value, LDIRECTORD],
      ['site.yaml', readYaml(yaml, 'site.yaml'), undefined],
    ] as const) {
      const { steps, value } = stepsOf(
        validating({ file, document, checks, ports, ...(dialect && { dialect }) }),
      )
      assert.equal(value.config?.services[0]?.reals.length, COUNT)
      // Their values, and what these mean.
      assert.ok(steps >= 2 * STEPS, `${file}: ${steps}`)
    }
  })
})
