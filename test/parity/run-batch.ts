/** Runs a batch with both daemons at once, and compares their tables after each step. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pause } from '../support/until.js'
import { Course, differencesOf, type StepOutcome } from './course.js'
import { type Daemon, DIRECTORS, type Directors, type Name } from './directors.js'
import { MailSink } from './mail-sink.js'
import {
  addresses,
  type Batch,
  globalsOf,
  isAboutSlot,
  isOfSlot,
  type Place,
  type Step,
  sectionsOf,
  unindented,
  written,
} from './scenario.js'
import { type Mood, ScriptedServer } from './servers.js'
import { differences } from './table-lines.js'
import { added, settled, toldBy } from './told.js'

export interface Outcome {
  readonly name: string
  /** Duration of the whole batch. */
  readonly seconds: number
  readonly steps: readonly StepOutcome[]
  /** Last output of the daemons if the scenario has failed, else ''. */
  readonly said: string
}

/** Milliseconds for which the tables must be as expected. This is longer than a round of ldirectord. */
const HOLD = 2500
/** Maximum milliseconds for a step. It is configurable, because a guest on a busy machine is slow. */
const PATIENCE = 1000 * Number(process.env.PARITY_PATIENCE)

export async function runBatch(batch: Batch, directors: Directors): Promise<Outcome[]> {
  const run = new Run(batch, directors)
  const began = performance.now()
  try {
    await run.prepare()
    const longest = Math.max(...batch.scenarios.map(({ steps }) => steps.length))
    for (let at = 0; at < longest; at++) await run.step(at)
    return run.outcomes(Math.round((performance.now() - began) / 1000))
  } finally {
    await run.close()
  }
}

class Run {
  readonly #batch: Batch
  readonly #directors: Directors
  readonly #folder: string
  readonly #courses: readonly Course[]
  readonly #daemons = new Map<Name, Daemon>()
  readonly #mails = new MailSink()
  /** Notifications of each daemon before the step. */
  #before: Readonly<Record<Name, readonly string[]>> = { lvsd: [], ldirectord: [] }

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
    this.#mails.listen()
    await this.#directors.prepare(this.#courses.map(course => course.before).join(''))
    for (const [name, text] of Object.entries(this.#batch.files ?? {}))
      this.#write(name, unindented(text.replaceAll('DIR', this.#folder)))
    this.#configure()
    for (const { scenario, families, place, servers } of this.#courses) {
      if (!scenario.site.servers) continue
      const { kind, port } = scenario.site.servers
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

  /** Runs the step with this index in all scenarios at once. */
  async step(at: number): Promise<void> {
    const under = this.#courses.flatMap(course => {
      const step = course.scenario.steps[at]
      return step && !course.hasFailed ? [{ course, step }] : []
    })
    this.#before = { lvsd: this.#told('lvsd'), ldirectord: this.#told('ldirectord') }
    for (const { course, step } of under) await this.#act(course, step)
    if (this.#daemons.size === 0) this.#start()
    if (under.some(({ step }) => step.reload !== undefined)) {
      this.#configure()
      if (!this.#batch.isUnsignalled) for (const daemon of this.#daemons.values()) daemon.reload()
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
    if (step.reload !== undefined) course.sections = step.reload.sections
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

  /** Waits until all tables are stable as expected. Returns the differences for each scenario. */
  async #judge(under: readonly { course: Course; step: Step }[]): Promise<string[][]> {
    const expected = under.map(({ course, step }) => ({ table: course.table(step), told: course.told(step) }))
    const deadline = performance.now() + PATIENCE
    let since: number | null = null
    for (;;) {
      const tables = { lvsd: await this.#table('lvsd'), ldirectord: await this.#table('ldirectord') }
      const told = { lvsd: this.#news('lvsd'), ldirectord: this.#news('ldirectord') }
      const wrongs = under.map(({ course, step }, i) =>
        DIRECTORS.flatMap(name => {
          const { slot } = course.place
          const table = tables[name].filter(line => isOfSlot(line, slot))
          const news = settled(told[name].filter(line => isAboutSlot(line, slot)))
          const wrong = [
            ...unless(expected[i]?.table[name], lines => differences(table, lines)),
            ...unless(expected[i]?.told[name], lines => differences(news, settled(lines))),
          ]
          const isGone = expected[i]?.table[name] !== null && this.#hasEnded(name) && !step.stop
          return [...wrong.map(line => `${name}: ${line}`), ...(isGone ? [`${name} has ended`] : [])]
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

  #told(name: Name): string[] {
    return toldBy(name, { folder: this.#folder, mails: this.#mails, pid: this.#daemons.get(name)?.pid })
  }

  /** Notifications since the beginning of the step. */
  #news(name: Name): string[] {
    return added(this.#before[name], this.#told(name))
  }

  #table(name: Name): Promise<string[]> {
    return this.#directors.table(name)
  }

  #hasEnded(name: Name): boolean {
    return this.#daemons.get(name)?.isRunning === false
  }

  outcomes(seconds: number): Outcome[] {
    const said = [...this.#daemons].map(([name, daemon]) => `-- ${name} said:\n${daemon.said}`).join('\n')
    return this.#courses.map(({ scenario, outcomes, hasFailed }) => ({
      name: scenario.name,
      seconds,
      steps: outcomes,
      said: hasFailed ? said : '',
    }))
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons.values()) await daemon.stop('SIGKILL')
    this.#mails.close()
    for (const { servers, scenario, place } of this.#courses) {
      for (const server of [...servers.values()].flat()) await server.become('down')
      if (scenario.site.servers) continue
      const touched = new Set(scenario.steps.flatMap(step => Object.keys(step.servers ?? {})))
      for (const name of touched) this.#directors.setAddress(place.slot, name, true)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function unless<T>(lines: T | null | undefined, compare: (lines: T) => string[]): string[] {
  return lines === null || lines === undefined ? [] : compare(lines)
}
