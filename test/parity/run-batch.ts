/** Runs a batch with both daemons at once, and judges their tables after each step. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Family } from '../../src/address.js'
import { pause } from '../kernel/site/until.js'
import { type Daemon, DIRECTORS, type Directors, type Name } from './directors.js'
import {
  addresses,
  type Batch,
  type Difference,
  FAMILIES,
  globalsOf,
  isOfSlot,
  type Place,
  restoring,
  type Scenario,
  type Step,
  sectionsOf,
  tableOf,
  unindented,
  written,
} from './scenario.js'
import { type Mood, ScriptedServer } from './servers.js'
import { differences } from './table-lines.js'

export interface StepOutcome {
  readonly what: string
  /** Reasons why ldirectord's table is another one, as it should be. */
  readonly because: readonly string[]
  /** What is not as it should be; empty where all is well. */
  readonly wrong: readonly string[]
}

export interface Outcome {
  readonly name: string
  readonly steps: readonly StepOutcome[]
  /** The end of what the daemons said, where something went wrong. */
  readonly said: string
}

/** The tables count when they have stood for so long: longer than a round of ldirectord takes. Milliseconds. */
const HOLD = 2500
/** A guest on a busy machine is slow. */
const PATIENCE = 1000 * Number(process.env.PARITY_PATIENCE ?? 240)

export async function runBatch(batch: Batch, directors: Directors): Promise<Outcome[]> {
  const run = new Run(batch, directors)
  try {
    await run.prepare()
    const longest = Math.max(...batch.scenarios.map(({ steps }) => steps.length))
    for (let at = 0; at < longest; at++) await run.step(at)
    return run.outcomes()
  } finally {
    await run.close()
  }
}

/** One scenario under way. */
class Course {
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
    this.sections = scenario.sections
  }

  /** Commands of ipvsadm. */
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

  /** What both tables should be; null where it does not matter. */
  expected(step: Step): Readonly<Record<Name, readonly string[] | null>> {
    const listed = differencesOf(step)
    const tables = this.families.map(family => {
      const difference = listed.find(({ families = FAMILIES }) => families.includes(family))
      return difference ? difference.table : step.table
    })
    return {
      lvsd: tableOf(step.table, this.families, this.place),
      ldirectord: tables.includes(null)
        ? null
        : this.families.flatMap((family, i) => tableOf(tables[i] ?? '', [family], this.place)).sort(),
    }
  }
}

function differencesOf(step: Step): readonly Difference[] {
  return [step.ldirectord ?? []].flat()
}

class Run {
  readonly #batch: Batch
  readonly #directors: Directors
  readonly #folder: string
  readonly #courses: readonly Course[]
  readonly #daemons = new Map<Name, Daemon>()

  constructor(batch: Batch, directors: Directors) {
    this.#batch = batch
    this.#directors = directors
    this.#folder = `/run/parity/${batch.name.replaceAll(/\W+/g, '-')}`
    this.#courses = batch.scenarios.map(
      (scenario, i) => new Course(scenario, { slot: i + 1, folder: this.#folder }),
    )
  }

  get #file(): string {
    return join(this.#folder, 'ldirectord.cf')
  }

  async prepare(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true })
    await this.#directors.prepare(this.#courses.map(course => course.before).join(''))
    for (const [name, text] of Object.entries(this.#batch.files ?? {}))
      this.#write(name, unindented(text.replaceAll('DIR', this.#folder)))
    this.#configure()
    for (const { scenario, families, place, servers } of this.#courses) {
      if (!scenario.serves) continue
      const { kind, port } = scenario.serves
      for (const name of ['R1', 'R2', 'R3', 'F']) {
        const both = families.map(family => addresses(place.slot, family)[name] as string)
        servers.set(
          name,
          both.map(address => new ScriptedServer(kind, address, port)),
        )
        for (const server of servers.get(name) ?? []) await server.become('up')
      }
    }
  }

  /** Each scenario's step of this number, all at once. */
  async step(at: number): Promise<void> {
    const under = this.#courses.flatMap(course => {
      const step = course.scenario.steps[at]
      return step && !course.hasFailed ? [{ course, step }] : []
    })
    for (const { course, step } of under) await this.#act(course, step)
    if (this.#daemons.size === 0) this.#start()
    if (under.some(({ step }) => step.reload !== undefined)) {
      this.#configure()
      for (const daemon of this.#daemons.values()) daemon.reload()
    }
    if (under.some(({ step }) => step.stop))
      await Promise.all([...this.#daemons.values()].map(daemon => daemon.stop()))
    const wrongs = await this.#judge(under)
    for (const [i, { course, step }] of under.entries())
      course.outcomes.push({
        what: step.what,
        because: differencesOf(step).map(({ because }) => because),
        wrong: wrongs[i] ?? [],
      })
  }

  async #act(course: Course, step: Step): Promise<void> {
    const { servers, place, families } = course
    for (const [name, mood] of Object.entries(step.servers ?? {}))
      await this.#become(servers, place, name, mood)
    for (const [name, text] of Object.entries(step.files ?? {}))
      for (const family of families) this.#write(written(name, family, place), text)
    if (step.reload !== undefined) course.sections = step.reload
  }

  #start(): void {
    for (const name of DIRECTORS)
      this.#daemons.set(
        name,
        this.#directors.start(name, this.#file, this.#folder, this.#batch.environment ?? {}),
      )
  }

  #configure(): void {
    const globals = globalsOf(this.#batch.globals ?? '', { slot: 0, folder: this.#folder })
    const sections = this.#courses.map(({ sections, families, place }) =>
      sectionsOf(sections, families, place),
    )
    writeFileSync(`${this.#file}.new`, [globals, ...sections].join('\n'))
    renameSync(`${this.#file}.new`, this.#file)
  }

  #write(name: string, text: string | null): void {
    const path = join(this.#folder, name)
    mkdirSync(dirname(path), { recursive: true })
    if (text === null) rmSync(path, { force: true })
    else writeFileSync(path, text, { mode: 0o755 })
  }

  async #become(
    servers: ReadonlyMap<string, readonly ScriptedServer[]>,
    { slot }: Place,
    name: string,
    mood: Mood,
  ): Promise<void> {
    const own = servers.get(name)
    if (own) for (const server of own) await server.become(mood)
    else this.#directors.setAddress(slot, name, mood === 'up')
  }

  /** Waits until all tables have stood as they should, and tells what is wrong with those that did not. */
  async #judge(under: readonly { course: Course; step: Step }[]): Promise<string[][]> {
    const expected = under.map(({ course, step }) => course.expected(step))
    const deadline = performance.now() + PATIENCE
    let since: number | null = null
    for (;;) {
      const tables = { lvsd: await this.#table('lvsd'), ldirectord: await this.#table('ldirectord') }
      const wrongs = under.map(({ course }, i) =>
        DIRECTORS.flatMap(name => {
          const lines = expected[i]?.[name]
          if (!lines) return []
          const own = tables[name].filter(line => isOfSlot(line, course.place.slot))
          const ended = this.#hasEnded(name) && !under[i]?.step.stop ? [`${name} has ended`] : []
          return [...differences(own, lines).map(line => `${name}: ${line}`), ...ended]
        }),
      )
      const now = performance.now()
      const isUnready = [...this.#daemons.values()].some(daemon => !daemon.isReady)
      if (isUnready || wrongs.some(wrong => wrong.length > 0)) since = null
      else since ??= now
      if (since !== null ? now - since >= HOLD : now > deadline)
        return isUnready ? this.#unready(wrongs) : wrongs
      await pause(100)
    }
  }

  #unready(wrongs: readonly string[][]): string[][] {
    const names = [...this.#daemons].filter(([, daemon]) => !daemon.isReady).map(([name]) => name)
    return wrongs.map(wrong => [...wrong, `${names.join(' and ')} did not start`])
  }

  #table(name: Name): Promise<string[]> {
    return this.#directors.table(name)
  }

  #hasEnded(name: Name): boolean {
    return this.#daemons.get(name)?.isRunning === false
  }

  outcomes(): Outcome[] {
    const said = [...this.#daemons].map(([name, daemon]) => `-- ${name} said:\n${daemon.said}`).join('\n')
    return this.#courses.map(({ scenario, outcomes, hasFailed }) => ({
      name: scenario.name,
      steps: outcomes,
      said: hasFailed ? said : '',
    }))
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons.values()) await daemon.stop('SIGKILL')
    for (const { servers, scenario, place } of this.#courses) {
      for (const server of [...servers.values()].flat()) await server.become('down')
      if (scenario.serves) continue
      const touched = new Set(scenario.steps.flatMap(step => Object.keys(step.servers ?? {})))
      for (const name of touched) this.#directors.setAddress(place.slot, name, true)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
