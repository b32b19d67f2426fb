import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { RawMap, RawNode } from '../../../src/config/raw.js'
import { checkFields } from '../../../src/config/schema/check-fields.js'
import { fallbackFields, realFields } from '../../../src/config/schema/real-fields.js'
import {
  defaultsFields,
  persistenceFields,
  rootFields,
  serviceFields,
  settingsFields,
  timeoutsFields,
} from '../../../src/config/schema/schema.js'
import { validate } from '../../../src/config/validate/validate.js'
import { addressFromBytes, literalAddress, parseAddress } from '../../../src/core/address.js'
import { type LoadedChecks, loadChecks } from '../../../src/kinds/find-kinds.js'
import { siteWith, validated } from '../../support/config/config-of.js'

const EXAMPLE = readFileSync(new URL('../../../config/example.yaml', import.meta.url), 'utf8')
const AT = { line: 1, column: 1, length: 1 }
const SHAPES = [
  rootFields,
  settingsFields,
  timeoutsFields,
  defaultsFields,
  serviceFields,
  persistenceFields,
  realFields,
  fallbackFields,
  checkFields,
]
const KEYS = [
  ...new Set(SHAPES.flatMap(shape => Object.keys(shape))),
  'request',
  'receive',
  'x-free',
  '__proto__',
  'constructor',
  'toString',
]
const TEXTS = [
  '',
  '[2001:db8::80]:80',
  '[2001:db8::1]:80 gate 2',
  '192.0.2.1:http',
  'web.example:80',
  '[::]:0',
  'fe80::1',
  'none',
  'all',
  'any',
  '5s',
  '50%',
  'sh',
  'sh-port',
  'http',
  'ping',
  'connect',
  'dns',
  'external',
  'tcp',
  'udp',
  'ipv6',
  'gue',
  'masq',
  'sip',
  '__proto__',
  'constructor',
]

/** Trees that look like a configuration, and trees that do not. */
const { node } = fc.letrec<{ node: RawNode; map: RawMap }>(tie => ({
  node: fc.oneof(
    { maxDepth: 6, depthSize: 'medium' },
    scalar(),
    tie('map'),
    fc.array(tie('node'), { maxLength: 4 }).map(items => ({ kind: 'list', items, at: AT }) as const),
  ),
  map: fc
    .array(
      fc.record({
        key: fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 8 })),
        keyAt: fc.constant(AT),
        value: tie('node'),
      }),
      { maxLength: 8 },
    )
    .map(entries => ({ kind: 'map', entries, at: AT }) as const),
}))

function scalar(): fc.Arbitrary<RawNode> {
  const value = fc.oneof(
    fc.constantFrom(...TEXTS),
    fc.string({ maxLength: 8 }),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  )
  return value.map(one => ({ kind: 'scalar', value: one, at: AT }) as const)
}

const entry = (key: string, value: RawNode) => ({ key, keyAt: AT, value })
const mapOf = (...entries: readonly ReturnType<typeof entry>[]): RawMap => ({ kind: 'map', entries, at: AT })

describe('properties: any configuration', () => {
  let loaded: LoadedChecks
  before(async () => {
    loaded = await loadChecks([])
  })
  const judge = (root: RawMap) =>
    validate({ file: 'site.yaml', document: { root, problems: [] }, checks: loaded.checks, ports: () => 80 })

  it('is judged without an exception, and refused with a problem or accepted', () => {
    const site = fc
      .tuple(node, node, node)
      .map(([settings, defaults, services]) =>
        mapOf(entry('settings', settings), entry('defaults', defaults), entry('services', services)),
      )
    fc.assert(
      fc.property(site, root => {
        const { config, problems } = judge(root)
        assert.equal(
          config === null,
          problems.some(({ severity }) => severity === 'error'),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('with one service of anything is judged the same way', () => {
    fc.assert(
      fc.property(node, node, (service, defaults) => {
        const root = mapOf(entry('defaults', defaults), entry('services', mapOf(entry('web', service))))
        const { config, problems } = judge(root)
        assert.equal(
          config === null,
          problems.some(({ severity }) => severity === 'error'),
        )
        for (const { message } of problems) assert.ok(!/undefined|\[object|NaN/.test(message), message)
      }),
      { numRuns: 1000 },
    )
  })

  it('cut off anywhere is judged without an exception', () => {
    for (let end = 0; end < EXAMPLE.length; end += 13)
      validated(EXAMPLE.slice(0, end), [...loaded.checks.values()])
  })

  it('with one letter changed is judged without an exception', () => {
    const letter = fc.constantFrom('x', ':', ' ', '-', '[', "'", '\n', '\t', '0', '#')
    fc.assert(
      fc.property(fc.nat(EXAMPLE.length - 1), letter, (index, by) => {
        validated(EXAMPLE.slice(0, index) + by + EXAMPLE.slice(index + 1), [...loaded.checks.values()])
      }),
      { numRuns: 200 },
    )
  })
})

describe('properties: a slip in a key', () => {
  const places: readonly (readonly [string, Readonly<Record<string, unknown>>, (key: string) => string])[] = [
    ['the file', rootFields, key => `${key}: {}\nservices: {}\n`],
    ['settings', settingsFields, key => `settings: { ${key}: 1 }\nservices: {}\n`],
    ['settings.timeouts', timeoutsFields, key => `settings: { timeouts: { ${key}: 1 } }\nservices: {}\n`],
    ['defaults', defaultsFields, key => `defaults: { ${key}: 1 }\nservices: {}\n`],
    ['a service', serviceFields, key => siteWith(`${key}: 1`)],
    ['persistence', persistenceFields, key => siteWith(`persistence: { ${key}: 1 }`)],
    ['a real server', realFields, key => siteWith(`reals: [{ ${key}: 1 }]`)],
    ['a fallback', fallbackFields, key => siteWith(`fallback: { ${key}: 1 }`)],
  ]
  for (const [place, shape, textWith] of places) {
    it(`of ${place} is told with the word that was meant`, () => {
      for (const key of Object.keys(shape)) {
        for (const slip of slipsOf(key)) {
          if (Object.hasOwn(shape, slip)) continue
          const { problems } = validated(textWith(slip))
          const told = problems.find(
            ({ code, message }) => code === 'UNKNOWN_KEY' && message.includes(`"${slip}"`),
          )
          assert.ok(told, `${slip} for ${key}`)
          if (key.length > 4) assert.match(told.message, /did you mean|; /, told.message)
        }
      }
    })
  }
})

/** A letter left out, doubled, or swapped with its neighbour; the first is always right. */
function slipsOf(word: string): readonly string[] {
  return [...word].flatMap((letter, i) =>
    i === 0
      ? []
      : [
          word.slice(0, i) + word.slice(i + 1),
          word.slice(0, i) + letter + word.slice(i),
          word.slice(0, i - 1) + letter + word[i - 1] + word.slice(i + 1),
        ],
  )
}

// ---------------------------------------------------------------- notations

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(address => {
  address[0] = 0x20 // 2000::/4 is unicast
  return address
})
const zeros = fc
  .tuple(bytes, fc.nat(6), fc.nat(7))
  .map(([address, from, length]) => address.fill(0, 2 + 2 * from, Math.min(16, 2 + 2 * (from + length))))

/** The same address in other words. */
function notationsOf(address: Uint8Array): readonly string[] {
  const groups = Array.from({ length: 8 }, (_, i) => ((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0))
  const full = groups.map(group => group.toString(16).padStart(4, '0')).join(':')
  const short = groups.map(group => group.toString(16)).join(':')
  const dotted = `${groups
    .slice(0, 6)
    .map(group => group.toString(16))
    .join(':')}:${[...address.subarray(12)].join('.')}`
  return [full, full.toUpperCase(), short, dotted]
}

describe('properties: notations', () => {
  it('of one address give one Config, with the canonical text', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, zeros), address => {
        const { text } = addressFromBytes(address)
        assert.deepEqual(literalAddress(text), parseAddress(text))
        const configOf = (written: string) => {
          const { config, problems } = validated(
            `services:\n  web: { virtual: '[${written}]:80', reals: ['[${written}]:80'] }\n`,
          )
          assert.ok(config, JSON.stringify(problems))
          return config
        }
        const canonical = configOf(text)
        const [web] = canonical.services
        assert.equal(web?.virtual.kind === 'address' && web.virtual.host, text)
        assert.equal(web?.reals[0]?.host, text)
        for (const notation of notationsOf(address)) assert.deepEqual(configOf(notation), canonical, notation)
      }),
      { numRuns: 200 },
    )
  })

  const same: readonly (readonly [string, string, string])[] = [
    ['a port and its name', siteWith('reals: []'), siteWith('reals: []').replace(']:80', ']:http')],
    ['a port and its alias', siteWith('reals: []'), siteWith('reals: []').replace(']:80', ']:www')],
    [
      'units of time',
      siteWith('persistence: 120', 'reals: []'),
      siteWith('persistence: { timeout: 2m }', 'reals: []'),
    ],
    ['prefix and netmask', fourWith('prefix: 24'), fourWith('netmask: 255.255.255.0')],
    ['block and flow', siteWith('reals:', "  - '[2001:db8::1]'"), siteWith("reals: ['[2001:db8::1]']")],
    [
      'a default and the same said',
      siteWith('reals: []'),
      siteWith('reals: []', 'scheduler: wlc', 'forwarding: masq', 'quiescent: false'),
    ],
    [
      'a service and the defaults',
      siteWith('reals: []', 'scheduler: rr'),
      `defaults: { scheduler: rr }\n${siteWith('reals: []')}`,
    ],
    [
      'an anchor and the same twice',
      `x-w: &w { weight: 3 }\n${siteWith("reals: [{ address: '[2001:db8::1]', <<: *w }]")}`,
      siteWith("reals: [{ address: '[2001:db8::1]', weight: 3 }]"),
    ],
    [
      'YAML and JSON',
      siteWith("reals: ['[2001:db8::1]']"),
      '{"services": {"web": {"virtual": "[2001:db8::80]:80", "reals": ["[2001:db8::1]"]}}}',
    ],
    [
      'flags and their bits',
      siteWith('scheduler: mh', 'scheduler-flags: [mh-port, mh-fallback]', 'reals: []'),
      siteWith('scheduler: mh', 'scheduler-flags: [flag-1, flag-2]', 'reals: []'),
    ],
  ]
  for (const [phrase, one, other] of same) {
    it(`give one Config: ${phrase}`, () => {
      const [first, second] = [validated(one), validated(other)]
      assert.ok(first.config, JSON.stringify(first.problems))
      assert.deepEqual(second.config, first.config)
    })
  }
})

function fourWith(prefix: string): string {
  return `services:\n  web: { virtual: 192.0.2.80:80, persistence: { ${prefix} }, reals: [] }\n`
}
