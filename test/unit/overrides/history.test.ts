/** Any history of overrides: none is lost, none ends in silence, and one that has ended never returns. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Config, keyAsWritten } from '../../../src/core/model.js'
import type { Effect, Override } from '../../../src/core/override.js'
import {
  CommandOverrides,
  nameOfReal,
  type Target,
  targetOf,
} from '../../../src/overrides/command-overrides.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service, serviceId } from '../../support/tables.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const WEB = service('web', { reals: [ONE, TWO] })
const MAIL = service('mail', { id: serviceId('2001:db8::25', 25), reals: [ONE] })
/** The site, and what reloads make of it: a service renamed, two that swap their names, a server and a service gone. */
const SITES = {
  whole: config([WEB, MAIL]),
  renamed: config([{ ...WEB, name: 'www' }, MAIL]),
  swapped: config([
    { ...WEB, name: 'mail' },
    { ...MAIL, name: 'web' },
  ]),
  'without a server': config([{ ...WEB, reals: [ONE] }, MAIL]),
  'without a service': config([MAIL]),
} as const
const TARGETS: readonly Target[] = [
  targetOf(WEB, ONE),
  targetOf(WEB, TWO),
  targetOf(WEB, null),
  targetOf(MAIL, ONE),
]
const EFFECTS: readonly Effect[] = [
  { kind: 'drain' },
  { kind: 'disable' },
  { kind: 'weight', weight: 3 },
  { kind: 'force-up' },
]

type Step =
  | { readonly do: 'give'; readonly target: number; readonly effect: number; readonly lasting: number | null }
  | { readonly do: 'end'; readonly target: number; readonly effects: readonly number[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'set back'; readonly ms: number }
  | { readonly do: 'reload'; readonly site: keyof typeof SITES }
  | { readonly do: 'restart'; readonly isCrash: boolean; readonly ms: number }

const anyMs = fc.constantFrom(1000, 60_000, HOUR, 13 * HOUR, 25 * HOUR)
const anyTarget = fc.nat(TARGETS.length - 1)
const anyEffect = fc.nat(EFFECTS.length - 1)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('give' as const),
    target: anyTarget,
    effect: anyEffect,
    lasting: fc.option(anyMs),
  }),
  fc.record({
    do: fc.constant('end' as const),
    target: anyTarget,
    effects: fc.array(anyEffect, { minLength: 1 }),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: anyMs }),
  fc.record({ do: fc.constant('set back' as const), ms: anyMs }),
  fc.record({
    do: fc.constant('reload' as const),
    site: fc.constantFrom(...(Object.keys(SITES) as (keyof typeof SITES)[])),
  }),
  fc.record({ do: fc.constant('restart' as const), isCrash: fc.boolean(), ms: anyMs }),
)

/** An override as the test expects it; `id` is its reason, which no other has. */
interface Expected {
  readonly id: string
  readonly target: Target
  readonly kind: Effect['kind']
  readonly until: number | null
  missingSince: number | null
}

/** What must be so, by simple rules. */
class Model {
  alive: Expected[] = []
  readonly over = new Set<string>()
  /** Ids of overrides whose end must be in the log. */
  readonly told: string[] = []
  site: Config = SITES.whole

  give(next: Expected): void {
    this.#drop(one => one.kind === next.kind && one.target === next.target, false)
    this.alive.push(next)
  }

  end(target: Target | undefined, kinds: readonly Effect['kind'][]): string[] {
    return this.#drop(one => one.target === target && kinds.includes(one.kind), false)
  }

  passed(now: number): void {
    const isOver = ({ until, missingSince }: Expected) =>
      (until !== null && until <= now) || (missingSince !== null && missingSince + DAY <= now)
    this.#drop(isOver, true)
  }

  follow(site: Config, now: number): void {
    this.site = site
    for (const one of this.alive)
      one.missingSince = hasTarget(site, one.target) ? null : (one.missingSince ?? now)
    this.passed(now)
  }

  #drop(isGone: (one: Expected) => boolean, isTold: boolean): string[] {
    const gone = this.alive.filter(isGone).map(({ id }) => id)
    this.alive = this.alive.filter(one => !isGone(one))
    for (const id of gone) this.over.add(id)
    if (isTold) this.told.push(...gone)
    return gone
  }
}

function hasTarget({ services }: Config, { key, real: wanted }: Target): boolean {
  const found = services.find(one => keyAsWritten(one.virtual) === key)
  return found !== undefined && (wanted === null || found.reals.some(one => nameOfReal(one) === wanted))
}

async function run(steps: readonly Step[]): Promise<void> {
  const clock = new FakeClock()
  let setBack = 0
  const now = () => clock.now() - setBack
  const { log, lines } = recordingLog()
  const folder = temporaryFolder()
  let life = 0
  const pathOf = (which: number) => join(folder, `overrides.${which}.json`)
  const open = async () => {
    const mine = life
    // A process that is gone hears no alarm.
    const alarm = (ms: number, ring: () => void) =>
      clock.alarm(ms, () => (mine === life ? ring() : undefined))
    const opened = new CommandOverrides({ path: pathOf(life), log, onChange: () => {}, now, alarm })
    await opened.load()
    return opened
  }
  const model = new Model()
  let overrides = await open()
  overrides.follow(model.site)
  for (const [n, step] of steps.entries()) {
    if (step.do === 'give') {
      const id = `#${n}`
      const target = TARGETS[step.target] as Target
      const effect = EFFECTS[step.effect] as Effect
      const until = step.lasting === null ? null : now() + step.lasting
      const override: Override = { effect, source: 'command', who: 'anna', reason: id, since: now(), until }
      assert.equal(await overrides.give([target], override), true)
      const missingSince = hasTarget(model.site, target) ? null : now()
      model.give({ id, target, kind: effect.kind, until, missingSince })
    } else if (step.do === 'end') {
      const target = TARGETS[step.target] as Target
      const kinds = step.effects.map(effect => (EFFECTS[effect] as Effect).kind)
      const { ended, isKept } = overrides.end([target], kinds, 'anna')
      assert.deepEqual(ended.map(({ override }) => override.reason).sort(), model.end(target, kinds).sort())
      assert.equal(await isKept, true)
    } else if (step.do === 'wait') {
      clock.wind(step.ms)
      model.passed(now())
    } else if (step.do === 'set back') setBack += step.ms
    else if (step.do === 'reload') {
      overrides.follow(SITES[step.site])
      model.follow(SITES[step.site], now())
    } else {
      // What is being written at a crash is the matter of StateFile; here everything is written.
      if (step.isCrash) await overrides.end([], [], 'anna').isKept
      else await overrides.close(1000)
      if (existsSync(pathOf(life))) copyFileSync(pathOf(life), pathOf(life + 1))
      life++
      clock.stop(step.ms)
      overrides = await open()
      overrides.follow(model.site)
      model.passed(now())
      model.follow(model.site, now())
    }
    check(overrides, model)
  }
  await overrides.close(1000)
  const ends = lines.flatMap(({ event, reason }) =>
    event === 'override.ended' || event === 'override.forgotten' ? [String(reason)] : [],
  )
  for (const id of model.told) assert.ok(ends.includes(id), `${id} ended in silence`)
}

function check(overrides: CommandOverrides, { alive, over, site }: Model): void {
  const ids = overrides.orders.map(({ override }) => override.reason)
  assert.deepEqual([...ids].sort(), alive.map(({ id }) => id).sort())
  assert.ok(!ids.some(id => over.has(id)))
  for (const one of site.services)
    for (const member of one.reals) {
      const wanted = alive.filter(
        ({ target }) =>
          target.key === keyAsWritten(one.virtual) &&
          (target.real === null || target.real === nameOfReal(member)),
      )
      assert.deepEqual(
        overrides
          .of(one, member)
          .map(({ reason }) => reason)
          .sort(),
        wanted.map(({ id }) => id).sort(),
      )
    }
}

describe('overrides: any history', () => {
  it('loses no override, logs each end, and restores no ended override', async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 20 }), run), {
      numRuns: Number(process.env.HISTORIES ?? 60),
    })
  })
})
