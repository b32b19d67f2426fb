/** The same random site, written for both readers, is the same configuration. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readLdirectord } from '../../../../src/config/ldirectord/read-ldirectord.js'
import { type Loaded, loadConfig } from '../../../../src/config/load.js'
import { writeYaml } from '../../../../src/config/yaml/write-yaml.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'
import { afterImport, loadCf } from '../../../support/config/ldirectord-site.js'
import { treeOf } from '../../../support/config/trees.js'

interface RealSite {
  readonly host: number
  readonly forwarding: 'gate' | 'masq' | 'ipip'
  readonly weight: number
  readonly limits: readonly [lower: number, upper: number] | null
  readonly pair: readonly [request: string, receive: string] | null
}

interface VirtualSite {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly mark: boolean
  readonly scheduler: string
  readonly persistent: number | null
  readonly prefix: number | null
  readonly quiescent: boolean | null
  readonly cleanstop: boolean | null
  readonly failurecount: number | null
  readonly negotiatetimeout: number | null
  readonly check: CheckSite
  readonly checkport: number | null
  readonly fallback: boolean
  readonly reals: readonly RealSite[]
}

type CheckSite =
  | {
      readonly kind: 'http' | 'https'
      readonly request: string
      readonly receive: string
      readonly virtualhost: string | null
    }
  | { readonly kind: 'connect' | 'ping' | 'on' | 'off' }
  | { readonly kind: 'external'; readonly checkcommand: string }

interface Site {
  readonly family: 4 | 6
  readonly quiescent: boolean
  readonly cleanstop: boolean
  readonly interval: number
  readonly failurecount: number
  readonly virtuals: readonly VirtualSite[]
}

// ---------------------------------------------------------------- random sites

const path = fc.stringMatching(/^[a-z0-9][a-z0-9/._ ?=&-]{0,12}$/).map(text => `/${text.trim()}`)
const pattern = fc.stringMatching(/^[A-Za-z0-9 ,;:!<>/=_-]{1,12}$/).filter(text => text.trim() === text)
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}\.example$/)

const check: fc.Arbitrary<CheckSite> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('http' as const, 'https' as const),
    request: path,
    receive: pattern,
    virtualhost: fc.option(name),
  }),
  fc.record({ kind: fc.constantFrom('connect' as const, 'ping' as const, 'on' as const, 'off' as const) }),
  fc.record({ kind: fc.constant('external' as const), checkcommand: path }),
)

const real: fc.Arbitrary<RealSite> = fc.record({
  host: fc.integer({ min: 1, max: 250 }),
  forwarding: fc.constantFrom('gate', 'masq', 'ipip'),
  weight: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  limits: fc.option(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 100, max: 1000 }))),
  pair: fc.option(fc.tuple(path, pattern)),
})

const virtual: fc.Arbitrary<VirtualSite> = fc.record({
  port: fc.integer({ min: 10_000, max: 65_535 }),
  protocol: fc.constantFrom('tcp', 'udp'),
  mark: fc.boolean(),
  scheduler: fc.constantFrom('rr', 'wrr', 'lc', 'wlc', 'sh', 'mh', 'fo'),
  persistent: fc.option(fc.integer({ min: 1, max: 86_400 })),
  prefix: fc.option(fc.integer({ min: 1, max: 31 })),
  quiescent: fc.option(fc.boolean()),
  cleanstop: fc.option(fc.boolean()),
  failurecount: fc.option(fc.integer({ min: 1, max: 9 })),
  negotiatetimeout: fc.option(fc.integer({ min: 1, max: 60 })),
  check,
  checkport: fc.option(fc.integer({ min: 1, max: 65_535 })),
  fallback: fc.boolean(),
  reals: fc.uniqueArray(real, { minLength: 1, maxLength: 4, selector: ({ host }) => host }),
})

const site: fc.Arbitrary<Site> = fc.record({
  family: fc.constantFrom(4, 6),
  quiescent: fc.boolean(),
  cleanstop: fc.boolean(),
  interval: fc.integer({ min: 1, max: 600 }),
  failurecount: fc.integer({ min: 1, max: 9 }),
  virtuals: fc.uniqueArray(virtual, { minLength: 1, maxLength: 3, selector: ({ port }) => port }),
})

// ---------------------------------------------------------------- as ldirectord.cf

function asCf({ family, quiescent, cleanstop, interval, failurecount, virtuals }: Site): string {
  const globals = [
    `quiescent=${yesNo(quiescent)}`,
    `cleanstop=${yesNo(cleanstop)}`,
    `checkinterval=${interval}`,
    `failurecount=${failurecount}`,
  ]
  return `${[...globals, ...virtuals.flatMap(one => sectionOf(one, family))].join('\n')}\n`
}

function sectionOf(one: VirtualSite, family: 4 | 6): string[] {
  const six = family === 6 ? '6' : ''
  const lines = [
    ...one.reals.map(each => `real${six}=${realLine(each, one, family)}`),
    `scheduler=${one.scheduler}`,
    ...(one.mark ? [] : [`protocol=${one.protocol}`]),
    ...given('persistent', one.persistent),
    ...given('netmask', one.prefix === null ? null : family === 6 ? one.prefix : maskOf(one.prefix)),
    ...given('quiescent', one.quiescent === null ? null : yesNo(one.quiescent)),
    ...given('cleanstop', one.cleanstop === null ? null : yesNo(one.cleanstop)),
    ...given('failurecount', one.failurecount),
    ...given('negotiatetimeout', one.negotiatetimeout),
    ...given('checkport', one.checkport),
    ...(one.fallback ? [`fallback${six}=${host(family, 251)}:${portOf(one)} masq`] : []),
    ...checkLines(one.check),
  ]
  const virtual = one.mark ? String(one.port) : `${host(family, 0)}:${one.port}`
  return [`virtual${six}=${virtual}`, ...lines.map(line => `\t${line}`)]
}

function checkLines(one: CheckSite): string[] {
  if (one.kind === 'external') return ['checktype=external', `checkcommand="${one.checkcommand}"`]
  if (one.kind !== 'http' && one.kind !== 'https') return [`checktype=${one.kind}`]
  return [
    `service=${one.kind}`,
    `request="${one.request}"`,
    `receive="${one.receive}"`,
    ...given('virtualhost', one.virtualhost),
  ]
}

function realLine(
  { host: number, forwarding, weight, limits, pair }: RealSite,
  one: VirtualSite,
  family: 4 | 6,
): string {
  const words = [
    `${host(family, number)}:${portOf(one)}`,
    forwarding,
    weight,
    // ldirectord sets the / itself, and forgets a pair that has one.
    ...(pair ? [`"${pair[0].slice(1)}", "${pair[1]}"`] : []),
    ...(limits ? [`l:${limits[0]}`, `u:${limits[1]}`] : []),
  ]
  return words.join(' ')
}

function given(word: string, value: string | number | null): string[] {
  return value === null ? [] : [`${word}=${value}`]
}

// ---------------------------------------------------------------- as YAML

function asYaml({ family, quiescent, cleanstop, interval, failurecount, virtuals }: Site): string {
  const policy = { interval, fastinter: interval, fall: failurecount, rise: 1 }
  const services = Object.fromEntries(virtuals.map(one => [nameOf(one, family), serviceOf(one, family)]))
  return writeYaml(
    treeOf({ defaults: { quiescent, cleanstop, forwarding: 'masq', check: policy }, services }),
  )
}

function serviceOf(one: VirtualSite, family: 4 | 6) {
  const { persistent, prefix, check: use } = one
  return {
    ...(one.mark
      ? { fwmark: one.port, family: `ipv${family}` }
      : { virtual: `${host(family, 0)}:${one.port}`, protocol: one.protocol }),
    scheduler: one.scheduler,
    ...(persistent === null
      ? {}
      : { persistence: { timeout: `${persistent}s`, ...(prefix === null ? {} : { prefix }) } }),
    ...(one.quiescent === null ? {} : { quiescent: one.quiescent }),
    ...(one.cleanstop === null ? {} : { cleanstop: one.cleanstop }),
    ...(one.fallback ? { fallback: `${host(family, 251)}:${portOf(one)}` } : {}),
    check: { ...kindOf(use, one), ...policyOf(use, one) },
    reals: one.reals.map(each => realOf(each, one, family)),
  }
}

function kindOf(use: CheckSite, { protocol, mark }: VirtualSite) {
  const http = { redirects: 7, otherhosts: true }
  if (use.kind === 'http' || use.kind === 'https')
    return {
      kind: use.kind,
      request: use.request,
      receive: use.receive,
      ...(use.virtualhost === null ? {} : { virtualhost: use.virtualhost }),
      ...http,
    }
  if (use.kind === 'external') return { kind: use.kind, checkcommand: use.checkcommand }
  const kind = use.kind === 'connect' && protocol === 'udp' && !mark ? 'ping' : use.kind
  return kind === 'ping' ? { kind, count: 1 } : { kind }
}

function policyOf(use: CheckSite, { failurecount, negotiatetimeout, checkport }: VirtualSite) {
  const usual = use.kind === 'http' || use.kind === 'https' ? 30 : 5
  return {
    ...(use.kind === 'on' || use.kind === 'off' ? {} : { timeout: `${negotiatetimeout ?? usual}s` }),
    ...(failurecount === null ? {} : { fall: failurecount }),
    ...(checkport === null || use.kind === 'external' ? {} : { checkport }),
  }
}

function realOf(
  { host: number, forwarding, weight, limits, pair }: RealSite,
  one: VirtualSite,
  family: 4 | 6,
) {
  const isHttp = one.check.kind === 'http' || one.check.kind === 'https'
  return {
    address: `${host(family, number)}:${portOf(one)}`,
    forwarding,
    weight,
    ...(limits ? { lower: limits[0], upper: limits[1] } : {}),
    ...(pair && isHttp ? { check: { request: pair[0], receive: pair[1] } } : {}),
  }
}

// ---------------------------------------------------------------- words of both

function host(family: 4 | 6, number: number): string {
  return family === 6 ? `[2001:db8::${(number + 256).toString(16)}]` : `192.0.2.${number}`
}

/** Marks have no port of their own; their real servers have. */
function portOf({ mark, port }: VirtualSite): number {
  return mark ? 8080 : port
}

function nameOf(one: VirtualSite, family: 4 | 6): string {
  if (one.mark) return `fwm${family === 6 ? '6' : ''}:${one.port}`
  return `${one.protocol}:${host(family, 0)}:${one.port}`
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}

function maskOf(prefix: number): string {
  return [0, 8, 16, 24].map(start => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - start)))).join('.')
}

function errorsOf({ problems }: Loaded) {
  return problems.filter(({ severity }) => severity === 'error')
}

describe('sites: a random site', () => {
  it('is the same configuration from an ldirectord.cf and from YAML', async () => {
    await fc.assert(
      fc.asyncProperty(site, async one => {
        const cf = await loadConfig('site', { text: asCf(one) })
        const yaml = await loadConfig('site', { text: asYaml(one) })
        assert.deepEqual([errorsOf(cf), errorsOf(yaml)], [[], []])
        assert.deepEqual(cf.config, yaml.config)
      }),
      { numRuns: 30 },
    )
  })

  it('is the same configuration after an import', async () => {
    await fc.assert(
      fc.asyncProperty(site, async one => {
        const loaded = await loadCf(asCf(one))
        assert.deepEqual(await afterImport(loaded), loaded.config)
      }),
      { numRuns: 20 },
    )
  })
})

describe('sites: any text', () => {
  it('is read as an ldirectord.cf without an exception, and every problem has its place in it', async () => {
    const { checks } = await loadChecks()
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom(
        'virtual=',
        'virtual6=[::1]:80',
        '\treal=',
        '10.0.0.1',
        ':80',
        ' gate',
        '->',
        '\n',
        '\n\t',
        '"',
        '#',
        'request=',
        'checktype=',
        '=',
        'fallback=',
        'persistent=5',
        '\u00a0',
        '\u201c',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        const text = pieces.join('')
        const lines = text.split('\n')
        for (const { at } of readLdirectord(text, 'site.cf', { checks }).problems) {
          assert.ok(at.line >= 1 && at.line <= lines.length && at.column >= 1 && at.length >= 1)
          assert.ok(at.column <= (lines[at.line - 1]?.length ?? 0) + 1)
        }
      }),
      { numRuns: 300 },
    )
  })
})
