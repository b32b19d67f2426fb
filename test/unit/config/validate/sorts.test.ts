import assert from 'node:assert/strict'
import fc from 'fast-check'
import { siteWith, validated } from '../../../support/config/config-of.js'

/** Items of the list of real servers, right and wrong, with an address. */
const ITEMS: readonly ((address: string) => string)[] = [
  a => `'${a}'`,
  a => `'${a} masq'`,
  a => `'${a} masq 3'`,
  a => `'  ${a}   masq  3'`,
  a => `'${a} gate'`,
  a => `'${a} masq 70000'`,
  a => `'${a} mask 3'`,
  a => `'${a} 3 masq'`,
  a => `'${a} masq 3 4'`,
  a => `{ address: '${a}', forwarding: masq, weight: 3 }`,
  a => `{ forwarding: masq, weight: 3, address: '${a}' }`,
  a => `{ address: '${a}', forwarding: masq, weight: 0x3 }`,
  a => `{ address: '${a}', forwarding: masq, weight: '3' }`,
  a => `{ address: '${a}', weight: -1 }`,
  a => `{ address: '${a}', weight: 0 }`,
  a => `{ address: '${a}', weight: -0 }`,
  a => `{ address: '${a}', weight: 3.0 }`,
  a => `{ address: '${a}', weight: .nan }`,
  a => `{ address: '${a}', weight: null }`,
  a => `{ address: '${a}', weight: 'null' }`,
  a => `'${a} masq 0'`,
  a => `'${a} masq -0'`,
  a => `'${a} masq 3.0'`,
  a => `'${a} masq\u00a03'`,
  a => `"${a} masq\\t3"`,
  a => `"${a}\\nmasq 3"`,
  a => `'none ${a}'`,
  a => `{ address: '${a}', wieght: 1 }`,
  a => `{ address: '${a}', lower: 5 }`,
  a => `{ address: '${a}', upper: 9, lower: 5 }`,
  a => `{ address: '${a}', forwarding: gue }`,
  a => `{ address: '${a}', tunnel-port: 6080 }`,
  a => `{ address: '${a}', tunnel-checksum: csum }`,
  a => `{ address: '${a}', need: 2 }`,
  a => `{ address: '${a}', need: '2' }`,
  a => `{ address: '${a}', need: '' }`,
  a => `{ address: '${a}', need: any }`,
  a => `{ address: '${a}', family: ipv4 }`,
  a => `{ address: '${a}', check: none }`,
  a => `{ address: '${a}', check: htpp }`,
  a => `{ address: '${a}', check: { kind: htpp } }`,
  a => `{ address: ['${a}', '[2001:db8:2::1]:80'], weight: 3 }`,
  a => `{ address: ['${a}'], weight: 3 }`,
  () => '{ weight: 3 }',
  () => "''",
  () => 'none',
  () => '3',
]
const ENDS = ['', ':80', ':8080', ':0', ':x']

const lists = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 30 }), fc.constantFrom(...ITEMS), fc.constantFrom(...ENDS)), {
    maxLength: 8,
    minLength: 1,
    selector: ([number]) => number,
  })
  .map(all => all.map(([number, item, end]) => item(`[2001:db8::${number + 1}]${end}`)))

describe('sorts: real servers that differ in their addresses', () => {
  it('are read as each is alone, with all their problems where these are', () => {
    fc.assert(
      fc.property(lists, items => {
        const lines = items.map(item => `  - ${item}`)
        const all = readOf(lines)
        const alone = lines.map((_, i) => readOf(lines.map((line, j) => (j === i ? line : '  # another'))))
        assert.deepEqual(all.problems, [...new Set(alone.flatMap(({ problems }) => problems))].toSorted())
        if (all.reals)
          assert.deepEqual(
            all.reals,
            alone.flatMap(({ reals }) => reals ?? []),
          )
      }),
      { numRuns: Number(process.env.RUNS ?? 500) },
    )
  })

  it('share what is the same', () => {
    const { reals } = readOf(['a', 'b', 'c'].map(name => `  - '[2001:db8::${name}]:80 masq 3'`))
    assert.equal(reals?.[2]?.attributes, reals?.[1]?.attributes)
  })
})

function readOf(lines: readonly string[]) {
  const { config, problems } = validated(siteWith('check: none', 'reals:', ...lines))
  // Two lists of addresses have one in common.
  const own = problems.filter(({ code }) => code !== 'DUPLICATE_REAL')
  return {
    problems: own.map(({ at, code, message }) => `${at.line}:${at.column} ${code} ${message}`).toSorted(),
    reals: config?.services[0]?.reals ?? null,
  }
}
