/** One running scenario of a batch: its place, its servers, the expected results. */
import type { Family } from '../../src/core/address.js'
import type { Name } from './directors.js'
import {
  type Difference,
  FAMILIES,
  type Place,
  restoring,
  type Scenario,
  type Step,
  tableOf,
  toldOf,
  unindented,
  written,
} from './scenario.js'
import type { ScriptedServer } from './servers.js'

export interface StepOutcome {
  readonly what: string
  /** Reasons of intended differences of ldirectord. */
  readonly because: readonly string[]
  /** Unexpected differences; empty if there are none. */
  readonly wrong: readonly string[]
}

/** One running scenario. */
export class Course {
  readonly scenario: Scenario
  readonly place: Place
  readonly families: readonly Family[]
  readonly servers = new Map<string, ScriptedServer[]>()
  readonly outcomes: StepOutcome[] = []
  sections: string

  constructor(scenario: Scenario, place: Place) {
    this.scenario = scenario
    this.place = place
    this.families = scenario.families ?? FAMILIES
    this.sections = scenario.site.sections
  }

  /** Commands of `ipvsadm -R` that create the table before the start. */
  get before(): string {
    const { before, steps } = this.scenario
    return this.families
      .map(family =>
        before === undefined
          ? restoring(steps[0]?.table ?? '', family, this.place)
          : written(unindented(before), family, this.place),
      )
      .join('')
  }

  get hasFailed(): boolean {
    return this.outcomes.some(({ wrong }) => wrong.length > 0)
  }

  /** Returns the expected tables. */
  table(step: Step): Expected {
    return this.#expected(step, step.table, difference => difference.table, tableOf)
  }

  /** Returns the expected notifications. */
  told(step: Step): Expected {
    return this.#expected(step, step.told ?? null, difference => difference.told, toldOf)
  }

  #expected(
    step: Step,
    ours: string | null,
    theirsOf: (difference: Difference) => string | null | undefined,
    lay: typeof tableOf,
  ): Expected {
    const { families, place } = this
    if (ours === null) return { lvsd: null, ldirectord: null }
    const listed = differencesOf(step)
    const theirs = families.map(family => {
      const own = listed.filter(({ families: of = FAMILIES }) => of.includes(family)).map(theirsOf)
      const found = own.find(text => text !== undefined)
      return found === undefined ? ours : found
    })
    return {
      lvsd: lay(ours, families, place),
      ldirectord: theirs.includes(null)
        ? null
        : families.flatMap((family, i) => lay(theirs[i] ?? '', [family], place)).sort(),
    }
  }
}

/** Expected lines by director; null if any are accepted. */
type Expected = Readonly<Record<Name, readonly string[] | null>>

export function differencesOf(step: Step): readonly Difference[] {
  return [step.ldirectord ?? []].flat()
}
