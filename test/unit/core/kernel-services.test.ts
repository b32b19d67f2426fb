/** A service with several addresses equals the same service written once for each address. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import { loadConfig } from '../../../src/config/load.js'
import { desired, isInService } from '../../../src/core/desired.js'
import { kernelServices } from '../../../src/core/kernel-services.js'
import type { HealthState, ResolvedConfig, ResolvedReal, Table } from '../../../src/core/model.js'
import { disposition, type Effect, type Override } from '../../../src/core/override.js'
import { desiredTable } from '../../../src/health/desired-table.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { failed, passed } from '../../support/tables.js'

const FRONTS = ['[2001:db8::80]:80', '192.0.2.80:80', '[2001:db8::81]:80'] as const
const OWN = ['[fd00::1]', '[fd00::2]', '[fd00::3]', '10.0.0.1', '10.0.0.2', '10.0.0.3'] as const
const TUNNELS = ['[fd00::8] ipip', '10.0.0.8 gre'] as const
const FALLBACKS = ['[fd00::99]', '10.0.0.99'] as const

interface Site {
  readonly fronts: readonly string[]
  readonly reals: readonly string[]
  readonly fallbacks: readonly string[]
  readonly keys: readonly string[]
}

function isV6(text: string): boolean {
  return text.startsWith('[')
}

function textOf(
  name: string,
  virtual: string,
  { keys }: Site,
  reals: readonly string[],
  fallbacks: readonly string[],
) {
  const list = (items: readonly string[]) => `[${items.map(item => `'${item}'`).join(', ')}]`
  return [
    `  ${name}:`,
    `    virtual: ${virtual}`,
    '    check: { kind: connect, rise: 1, fall: 1 }',
    ...keys.map(key => `    ${key}`),
    ...(fallbacks.length > 0 ? [`    fallback: ${list(fallbacks)}`] : []),
    `    reals: ${list(reals)}`,
    '',
  ].join('\n')
}

async function read(text: string): Promise<{ config: ResolvedConfig; checks: ReadonlyMap<string, Check> }> {
  const { config, checks, problems } = await loadConfig('site.yaml', { text: `services:\n${text}` })
  assert.ok(config, JSON.stringify(problems))
  return { config: resolveConfig(config, new Map()).config, checks }
}

/** The service with all addresses, and the same once for each address. */
async function bothWays(site: Site) {
  const { fronts } = site
  const canServe = (text: string) =>
    / (ipip|gre)$/.test(text) || fronts.some(front => isV6(front) === isV6(text))
  const reals = site.reals.filter(canServe)
  const fallbacks = site.fallbacks.filter(canServe)
  const dual = textOf('web', `[${fronts.map(front => `'${front}'`).join(', ')}]`, site, reals, fallbacks)
  const single = fronts.map((front, i) =>
    textOf(
      `web${i}`,
      `'${front}'`,
      site,
      reals.filter(real => / (ipip|gre)$/.test(real) || isV6(real) === isV6(front)),
      fallbacks.filter(one => isV6(one) === isV6(front)),
    ),
  )
  return { one: await read(dual), many: await read(single.join('')) }
}

const anyFronts = fc.subarray([...FRONTS], { minLength: 2 })
const anyKeys = fc.subarray([
  'quiescent: true',
  'panic: { share: 60, within: 10s, for: 60s }',
  'damping: { changes: 3, within: 60s, hold: 20s }',
  'slow-start: 10s',
  'on-down: { dead: remove, sick: quiesce, after: 15s }',
  'weight: 40',
  'persistence: 60s',
  'scheduler: mh',
])

function anySite(reals: readonly string[]): fc.Arbitrary<Site> {
  return fc.record({
    fronts: anyFronts,
    reals: fc.shuffledSubarray([...reals]),
    fallbacks: fc.subarray([...FALLBACKS]),
    keys: anyKeys.map(keys =>
      keys.includes('quiescent: true') ? keys.filter(key => !/^on-down/.test(key)) : keys,
    ),
  })
}

const EFFECTS: readonly Effect[] = [
  { kind: 'drain' },
  { kind: 'disable' },
  { kind: 'force-down' },
  { kind: 'force-up' },
  { kind: 'weight', weight: 7 },
]

function overrideOf(effect: Effect): Override {
  return { effect, source: 'command', who: 'alice', reason: '', since: 0, until: null }
}

describe('kernel services: a service with several addresses', () => {
  it('has the tables of the same service once for each address, given the same health', async () => {
    const states = ['up', 'down', 'unknown'] as const
    await fc.assert(
      fc.asyncProperty(
        anySite([...OWN, ...TUNNELS]),
        fc.array(fc.tuple(fc.constantFrom<HealthState>(...states), fc.option(fc.constantFrom(...EFFECTS))), {
          minLength: 8,
          maxLength: 8,
        }),
        async (site, healths) => {
          const { one, many } = await bothWays(site)
          const hosts = [...OWN, ...TUNNELS].map(text => text.replace(/ .*/, '').replace(/[[\]]/g, ''))
          const dispositionOf = (_: unknown, { host, attributes }: ResolvedReal) => {
            const [checked = 'up', effect] = healths[hosts.indexOf(host)] ?? []
            return disposition({
              checked,
              advised: attributes.weight,
              override: effect ? overrideOf(effect) : null,
            })
          }
          const allUp = (_: unknown, { attributes }: ResolvedReal) =>
            disposition({ checked: 'up', advised: attributes.weight, override: null })
          for (const held of [new Map() as Table, desired(many.config.services, allUp, new Map())])
            assert.deepEqual(
              desired(one.config.services, dispositionOf, held),
              desired(many.config.services, dispositionOf, held),
            )
        },
      ),
      { numRuns: 20 },
    )
  })

  it('goes through the same tables while servers fail, return and are overridden, and time passes', async () => {
    const step = fc.record({
      host: fc.nat(OWN.length - 1),
      passes: fc.boolean(),
      effect: fc.option(fc.constantFrom(null, ...EFFECTS)),
      seconds: fc.constantFrom(0, 1, 4, 11, 70),
    })
    await fc.assert(
      fc.asyncProperty(anySite(OWN), fc.array(step, { maxLength: 30 }), async (site, steps) => {
        const { one, many } = await bothWays(site)
        const runs = [one, many].map(({ config, checks }) => {
          const run = { config, store: new HealthStore(), table: new Map() as Table, overrides: new Map() }
          run.store = new HealthStore(
            (service, real, isDrained) => isInService(service, real, run.table, isDrained),
            () => run.table,
          )
          run.store.applyConfig(config, checks, 0)
          return run as typeof run & { overrides: Map<ResolvedReal, Override> }
        })
        let now = 0
        for (const { host, passes, effect, seconds } of steps) {
          now += seconds * 1000
          const wanted = OWN[host]?.replace(/[[\]]/g, '')
          for (const run of runs) {
            const { store, config, overrides } = run
            for (const service of config.services) store.look(service, null, now)
            for (const [id, job] of store.jobs)
              if (job.target.address.text === wanted) store.result(id, passes ? passed() : failed(), now)
            if (effect !== null) {
              for (const real of config.services.flatMap(({ reals }) => reals))
                if (real.host === wanted)
                  if (effect) overrides.set(real, overrideOf(effect))
                  else overrides.delete(real)
              store.override(overrides, now)
            }
            run.table = desiredTable(store, config.services, run.table)
          }
          assert.deepEqual(runs[0]?.table, runs[1]?.table)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('is returned as it is with one address, and its parts are the same objects each time', async () => {
    const single = await read(
      textOf('web', `'${FRONTS[0]}'`, { keys: [] } as unknown as Site, ['[fd00::1]'], []),
    )
    const [alone] = single.config.services
    assert.ok(alone)
    assert.equal(kernelServices(alone)[0], alone)
    const { one } = await bothWays({ fronts: FRONTS, reals: OWN, fallbacks: [], keys: [] })
    const [web] = one.config.services
    assert.ok(web)
    assert.equal(kernelServices(web), kernelServices(web))
    assert.deepEqual(
      kernelServices(web).map(({ reals }) => reals.length),
      [3, 3, 3],
    )
  })
})
