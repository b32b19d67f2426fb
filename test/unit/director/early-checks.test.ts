/** Which jobs have a sentinel or an early time limit, where several services share a check. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { CheckUse, ResolvedConfig } from '../../../src/core/model.js'
import { earlyChecksListener } from '../../../src/director/early-checks.js'
import { HealthStore } from '../../../src/health/health-store.js'
import type { EarlyChecks, Followed } from '../../../src/hints/early-checks.js'
import { config, passed, real, service, serviceId, use } from '../../support/tables.js'

const CHECKS = new Map<string, Check>([
  ['on', { name: 'on', summary: 'on', options: () => ({}), perService: false, run: async () => passed() }],
])

/** Services on ports 80, 81 and so on, which check the same server. Each has its own wishes for the check. */
function site(...wishes: readonly Partial<CheckUse>[]): ResolvedConfig {
  return config(
    wishes.map((wish, i) => {
      const reals = [real('fd00:1::1', { checks: [{ ...use('on'), ...wish }] })]
      return service(`web${i}`, { id: serviceId('2001:db8::80', 80 + i), reals })
    }),
  )
}

function followed(...sites: readonly ResolvedConfig[]) {
  const store = new HealthStore()
  const all: Followed[] = []
  const listener = earlyChecksListener(
    () => ({ follow: (next: Followed) => void all.push(next) }) as unknown as EarlyChecks,
    () => store,
  )
  return sites.map(each => {
    store.applyConfig(each, CHECKS, 0)
    listener.config?.(each)
    const { jobs, watched, hasEarlyLimit } = all.at(-1) as Followed
    assert.equal(jobs.size, 1, 'they share the check')
    const [id = ''] = jobs.keys()
    return { isWatched: watched.has(id), isEarly: hasEarlyLimit(id) }
  })
}

describe('early-checks: a check that services share', () => {
  it('has a sentinel if one of them wants it', () => {
    const [some, none] = followed(site({ sentinel: true }, {}), site({}, {}))
    assert.deepEqual([some?.isWatched, none?.isWatched], [true, false])
  })

  it('fails early only if all of them want it', () => {
    const early = { earlyTimeout: true } as const
    const found = followed(site(early, early), site(early, {}), site({}, early), site({}, {}), site(early))
    assert.deepEqual(
      found.map(({ isEarly }) => isEarly),
      [true, false, false, false, true],
    )
  })
})
