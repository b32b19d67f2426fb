/** Texts of sites, and edits of them, as people and accidents make them. */
import fc from 'fast-check'

/** Lines of a service, without its virtual address, each with the same indentation. */
const BODIES: readonly (readonly string[])[] = [
  ['check: http', "reals: ['[2001:db8:1::11]:80 gate 1', '[2001:db8:1::12]:80 gate 2']"],
  ['check: { kind: http, request: "/a b" }', 'reals:', "  - '[2001:db8:1::13]:80 masq 2'"],
  [
    '# a comment',
    'check:',
    '  kind: simpletcp',
    '  request: |',
    '    HELLO',
    '',
    '    WORLD',
    "reals: ['[2001:db8:1::24]:80']",
  ],
  ['check: *probe', "reals: [{ address: '[2001:db8:1::14]:80', weight: 3 }]"],
  ['<<: *base', "reals: ['[2001:db8:1::15]:80']"],
  ['check: { kind: pop, login: a, passwd: { file: PASSWORD } }', "reals: ['[2001:db8:1::16]:80']"],
  ['check: { kind: external, checkcommand: /bin/true }', "reals: ['[2001:db8:1::17]:80']"],
  ["check: { kind: http, receive: '''& *it', interval: 5s }", "reals: ['[2001:db8:1::18]:http']"],
  ['check: none', "windows: [{ at: '0 2 * * sun', for: 2h }]", "reals: ['[2001:db8:1::19]:80']"],
  [
    'check: none',
    'reals: [ # over several lines',
    "    '[2001:db8:1::20]:80',",
    "    '[2001:db8:1::21]:80' ]",
  ],
  ['persistence: 300s', 'check: { kind: dns, request: www.example }', "reals: ['[2001:db8:1::22]:80 ipip']"],
  ['<<: { scheduler: rr }', 'check: http', "reals: ['[2001:db8:1::23]:80']"],
]

/** A line that stands anywhere, mostly where it should not. */
const STRAY = [
  '',
  '# a comment',
  '  # a comment',
  '  stray: 1',
  '    weight: 1',
  '    weight: 0',
  'stray: 1',
  'x-more: 1',
  '  "',
  "    'open",
  '    text: "open',
  '    more: {',
  '  }',
  '    text: |',
  '  - item',
  '  ? odd',
  '  : odd',
  '...',
  '---',
  '%YAML 1.2',
  '\t',
  '\tweight: 1',
  '  web0: &here',
  '    check: &here http',
  '    check: *probe',
  '  <<: *base',
  'settings: {}',
  'services:',
  'defaults: { scheduler: rr }',
  '  web1:',
  '  web9: { virtual: "[2001:db8::99]:80", check: http, reals: ["[2001:db8:1::99]:80"] }',
  '\r',
]

const HEADS = [
  'x-probe: &probe { kind: http, request: / }\nx-base: &base { check: http, scheduler: wlc }\n',
  'x-probe: &probe { kind: connect }\nx-base: &base { check: http }\ndefaults: { check: { kind: http, request: /d } }\n',
  "x-probe: &probe http\nx-base: &base { check: http }\ndefaults:\n  fallback: '[2001:db8:9::1]:80'\n  check: http\n",
]
const TAILS = [
  '',
  'settings: { autoreload: true }\n',
  'alerts:\n  all: { webhook: "http://[2001:db8::5]/", services: ["web*"] }\n',
]

interface Written {
  readonly number: number
  readonly body: number
  /** The port of the virtual address, so that a change of one line is a valid one. */
  readonly port: number
}

const service = fc.record<Written>({
  number: fc.nat(7),
  body: fc.nat(BODIES.length - 1),
  port: fc.constantFrom(80, 81),
})

export interface Site {
  readonly head: number
  readonly tail: number
  readonly services: readonly Written[]
}

export const site: fc.Arbitrary<Site> = fc.record({
  head: fc.nat(HEADS.length - 1),
  tail: fc.nat(TAILS.length - 1),
  services: fc.uniqueArray(service, { minLength: 1, maxLength: 6, selector: ({ number }) => number }),
})

export function textOf({ head, tail, services }: Site, password: string): string {
  const blocks = services.map(({ number, body, port }) => {
    const lines = [`virtual: '[2001:db8::${number}]:80'`, ...(BODIES[body] ?? [])]
    const weight = port === 80 ? [] : [`# port ${port}`, 'quiescent: false']
    return [`web${number}:`, ...[...lines, ...weight].map(line => `  ${line}`)].map(line => `  ${line}\n`)
  })
  return `${HEADS[head]}services:\n${blocks.flat().join('')}${TAILS[tail]}`.replaceAll('PASSWORD', password)
}

/** Changes a site, or its text. */
export type Edit =
  | { readonly kind: 'service'; readonly at: number; readonly to: Written }
  | { readonly kind: 'add' | 'twice'; readonly at: number; readonly to: Written }
  | { readonly kind: 'remove' | 'move'; readonly at: number }
  | { readonly kind: 'head' | 'tail'; readonly at: number }
  | { readonly kind: 'line'; readonly at: number; readonly stray: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }

const at = fc.nat(200)
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('service' as const), at, to: service }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'twice' as const), at, to: service }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'move' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('head' as const, 'tail' as const), at }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('line' as const), at, stray: fc.nat(STRAY.length - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), at, length: fc.nat(30) }) },
)

/** A format of configurations. */
export interface Language {
  textOf(site: Site, password: string): string
  /** Lines that stand anywhere, mostly where they should not. */
  readonly stray: readonly string[]
}

const YAML: Language = { textOf, stray: STRAY }

/** Returns the site after the edits that concern it, and its text after those that concern the text. */
export function edited(
  site: Site,
  edits: readonly Edit[],
  password: string,
  { textOf, stray }: Language = YAML,
): { site: Site; text: string } {
  const next = edits.reduce(siteAfter, site)
  const text = edits.reduce((before, edit) => textAfter(before, edit, stray), textOf(next, password))
  return { site: next, text }
}

function siteAfter(site: Site, edit: Edit): Site {
  const { services } = site
  const place = services.length === 0 ? 0 : edit.at % services.length
  if (edit.kind === 'head') return { ...site, head: edit.at % HEADS.length }
  if (edit.kind === 'tail') return { ...site, tail: edit.at % TAILS.length }
  if (edit.kind === 'service') return { ...site, services: services.toSpliced(place, 1, edit.to) }
  if (edit.kind === 'add') return { ...site, services: services.toSpliced(place, 0, edit.to) }
  if (edit.kind === 'twice') return { ...site, services: [...services, ...services.slice(place, place + 1)] }
  if (edit.kind === 'remove') return { ...site, services: services.toSpliced(place, 1) }
  if (edit.kind === 'move')
    return { ...site, services: [...services.slice(place), ...services.slice(0, place)] }
  return site
}

function textAfter(text: string, edit: Edit, stray: readonly string[]): string {
  if (edit.kind === 'cut') {
    const from = (edit.at * 7) % text.length
    return text.slice(0, from) + text.slice(from + edit.length)
  }
  if (edit.kind !== 'line') return text
  const lines = text.split('\n')
  return lines.toSpliced(edit.at % lines.length, 0, stray[edit.stray % stray.length] ?? '').join('\n')
}
