/** Sites with a given number of real servers, in every form of a configuration file. */
import { stringify } from 'yaml'

export const PER_SERVICE = 50

interface Service {
  readonly virtual: string
  readonly check: object
  readonly reals: readonly {
    readonly address: string
    readonly forwarding: string
    readonly weight: number
  }[]
}

function services(reals: number): Readonly<Record<string, Service>> {
  const hex = (number: number) => (number + 1).toString(16)
  const names = Array.from({ length: reals / PER_SERVICE }, (_, i) => i)
  return Object.fromEntries(
    names.map(i => [
      `web${i}`,
      {
        virtual: `[2001:db8::${hex(i)}]:80`,
        check: { kind: 'http', request: '/health' },
        reals: Array.from({ length: PER_SERVICE }, (_, j) => ({
          address: `[2001:db8:${hex(i)}::${hex(j)}]:80`,
          forwarding: 'masq',
          weight: 2,
        })),
      },
    ]),
  )
}

const short = ({ address }: Service['reals'][number]) => `${address} masq 2`

/** By form: returns a file name and the text for this number of real servers. */
export const FORMS: Readonly<Record<string, (reals: number) => readonly [file: string, text: string]>> = {
  'block YAML': n => ['a.yaml', stringify({ services: services(n) })],
  'JSON on many lines': n => ['a.json', JSON.stringify({ services: services(n) }, null, 2)],
  'JSON on one line': n => ['a.json', JSON.stringify({ services: services(n) })],
  'flow mappings': n => {
    const lines = Object.entries(services(n)).map(([name, one]) => `  ${name}: ${JSON.stringify(one)}`)
    return ['a.yaml', `services: {\n${lines.join(',\n')} }\n`]
  },
  'one service, a check for each server': n => {
    const all = Object.values(services(n)).flatMap(one => one.reals)
    const reals = all.map((real, i) => ({ ...real, check: { kind: 'http', request: `/${i}` } }))
    return ['a.json', JSON.stringify({ services: { web: { virtual: '[2001:db8::1]:80', reals } } })]
  },
  'anchors and merges': n => {
    const blocks = Object.entries(services(n)).map(
      ([name, one]) =>
        `  ${name}:\n    <<: [*base, *more]\n    virtual: '${one.virtual}'\n    reals:\n${one.reals.map(real => `      - '${short(real)}'\n`).join('')}`,
    )
    return [
      'a.yaml',
      `x-base: &base { check: http }\nx-more: &more { scheduler: rr }\nservices:\n${blocks.join('')}`,
    ]
  },
  'ldirectord.cf': n => {
    const blocks = Object.values(services(n)).map(
      one =>
        `virtual6=${one.virtual}\n\tservice=http\n\trequest="/health"\n${one.reals.map(real => `\treal6=${short(real)}\n`).join('')}`,
    )
    return ['a.cf', blocks.join('\n')]
  },
}

/** Forms that are not written on purpose, but may result from a generator or an accident. */
export const ODDITIES: typeof FORMS = {
  'a flow mapping with 20,000 keys': () => [
    'a.yaml',
    `x-a: {${Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}`).join(', ')}}\nservices: {}\n`,
  ],
  'a list of 100,000 on one line': () => ['a.yaml', `x-a: [${'1,'.repeat(100_000)}1]\nservices: {}\n`],
  'a merge of 150,000 aliases': () => [
    'a.yaml',
    `x-a: &a { k: 1 }\nx-b:\n  <<: [${Array.from({ length: 150_000 }, () => '*a').join(', ')}]\nservices: {}\n`,
  ],
  '40,000 unknown keys': () => [
    'a.yaml',
    `services:\n  web:\n    virtual: '[2001:db8::1]:80'\n${Array.from({ length: 40_000 }, (_, i) => `    foo${i}: 1\n`).join('')}`,
  ],
  '20,000 lines of wrong indentation': () => [
    'a.yaml',
    `services:\n${Array.from({ length: 20_000 }, (_, i) => `${' '.repeat(i % 7)}k${i}: 1`).join('\n')}\n`,
  ],
  'a text of 2 MB': () => [
    'a.yaml',
    `services:\n  web:\n    virtual: '${'a'.repeat(2_000_000)}'\n    reals: []\n`,
  ],
  'emoji on one line': () => ['a.yaml', `x-a: [${'"😀",'.repeat(30_000)}1]\nservices: {}\n`],
  '40,000 words that are no directive': () => ['a.cf', 'junk\n'.repeat(40_000)],
}
