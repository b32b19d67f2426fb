/**
 * Traces of ldirectord: a file, the events, the commands to ipvsadm, and the table after each event. This file reads
 * them and replays them with a daemon of lvsd with the memory table.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CodeWork } from '../../../src/check/run-code.js'
import type { Loaded } from '../../../src/config/load.js'
import { endpoint } from '../../../src/core/address.js'
import { withPaths } from '../../../src/director/compose.js'
import { startDaemon } from '../../../src/director/daemon.js'
import type { Daemon } from '../../../src/director/daemon-types.js'
import type { EventListener } from '../../../src/events/event-bus.js'
import { monitorLine } from '../../../src/events/monitor-file.js'
import { type MemoryKernel, memoryKernel } from '../../../src/ipvs/memory.js'
import { tableSentences } from '../../../src/ldirectord-command/log-messages.js'
import type { OnResult } from '../../../src/schedule/executor.js'
import type { Executors } from '../../../src/schedule/executors.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { linesOfTable } from '../../parity/table-lines.js'
import { temporaryFolder } from '../folder.js'
import { changeOf } from '../ipvsadm.js'
import { recordingLog } from '../logs.js'
import { failed, passed } from '../tables.js'
import { loadCf } from './ldirectord-site.js'

export interface Trace {
  readonly title: string
  readonly config: string
  /** Other files, by name. */
  readonly files: ReadonlyMap<string, string>
  readonly steps: readonly TraceStep[]
}

export interface TraceStep {
  /** `start`, `down 10.0.0.1:80`, `check`, `ipvs -e …`, `reload FILE`, `eval …`, `stop`. */
  readonly event: string
  /** Arguments of ipvsadm commands that succeeded. */
  readonly commands: readonly string[]
  /** Command lines of fallbackcommand. */
  readonly calls: readonly string[]
  /** Messages about real servers and fallbacks, as logged and mailed. */
  readonly sentences: readonly string[]
  /** The listing at the end of the step, or null if the trace has none. */
  readonly listing: readonly string[] | null
  /** Value of an `eval`. */
  readonly value: string
}

export function readTrace(text: string): Trace {
  const [head = '', ...parts] = text.split(/^--- /m)
  const named = parts.map(part => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)])
  const files = new Map(named as [string, string][])
  return {
    title: head.replace(/^# /, '').trim(),
    config: files.get('config') ?? '',
    files,
    steps: stepsOf((files.get('trace') ?? '').split('\n')),
  }
}

function stepsOf(lines: readonly string[]): TraceStep[] {
  const steps: { event: string; own: string[]; listing: string[] | null }[] = []
  for (const line of lines) {
    const last = steps.at(-1)
    if (line === '# table' && last) last.listing = []
    else if (line.startsWith('# ')) steps.push({ event: line.slice(2), own: [], listing: null })
    else if (last?.listing && /^(TCP|UDP|FWM|\s+->) /.test(line)) last.listing.push(line)
    else last?.own.push(line)
  }
  return steps.map(({ event, own, listing }) => ({
    event,
    listing,
    commands: own.flatMap((line, i) =>
      line.startsWith('ipvsadm ') && !own[i + 1]?.startsWith('  !!') ? [line.slice(8)] : [],
    ),
    sentences: own.flatMap(line => {
      const [, sentence] =
        /^ {4}log: ((?:Added|Restored|Quiescent|Deleted|Purged) (?:real|fallback) .*)/.exec(line) ?? []
      return sentence === undefined ? [] : [sentence]
    }),
    calls: own.flatMap(line => (line.startsWith('  exec: ') ? [line.slice(8)] : [])),
    value: own
      .filter(line => /^ {2}= |^\[/.test(line))
      .map(line => line.replace(/^ {2}= /, ''))
      .join('\n'),
  }))
}

/** Folder in the traces. */
const THERE = '/var/lib/example/'
/** Milliseconds between two resyncs. They are frequent because the tests wait for whole rounds of lvsd. */
const RESYNC = 4
/** Maximum milliseconds to wait for the table. lvsd reads the maintenance folder once per second. */
const PATIENCE = 4000

/** A daemon of lvsd in place of ldirectord, and the state of its servers. */
export class TraceStage {
  readonly kernel: MemoryKernel = memoryKernel()
  readonly calls: string[] = []
  readonly #log = recordingLog('info')
  readonly #folder = temporaryFolder()
  readonly #work = new Map<string, CodeWork>()
  readonly #down = new Set<string>()
  readonly #trace: Trace
  /** The file that the next reload reads. */
  #next = ''
  #report: OnResult = () => {}
  #daemon: Daemon | null = null
  #rounds = 0
  #monitored = ''

  constructor(trace: Trace) {
    this.#trace = trace
  }

  /** Executes the event of a step with lvsd. Check results are delivered when ldirectord runs its checks. */
  async play({ event, value }: TraceStep): Promise<void> {
    const [word = '', ...rest] = event.split(' ')
    if (word === 'start') await this.#start()
    else if (word === 'ipvs') await this.#edit(rest.join(' '))
    else if (word === 'down') for (const server of rest) this.#down.add(server)
    else if (word === 'up') for (const server of rest) this.#down.delete(server)
    else if (word === 'reload') await this.#reload(rest[0])
    else if (word === 'stop') await this.stop()
    else if (word === 'eval') this.#evaluate(rest.join(' '))
    else if (word !== 'check') throw new Error(`a trace has an event "${event}" (${value})`)
    if (['start', 'check', 'reload'].includes(word)) this.#answer()
  }

  /** Returns the lines of the table once it is stable. Waits up to some seconds until it is as expected. */
  async table(expected: readonly string[] | null): Promise<string[]> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const until = this.#rounds + 2
      while (this.#daemon && this.#rounds < until && performance.now() < deadline) await pause()
      const lines = linesOfTable((await this.kernel.byHand.dump()).table)
      const isRight = !expected || JSON.stringify(lines) === JSON.stringify(expected)
      if (isRight || !this.#daemon || performance.now() > deadline) return lines
    }
  }

  /** Messages about real servers and fallbacks that the command `ldirectord` has logged so far. */
  get sentences(): string[] {
    return this.#log.lines.map(({ msg }) => msg).filter(text => / (?:real|fallback) server/.test(text))
  }

  /** The lines of the monitorfile, without time and detail. */
  get monitored(): string[] {
    return monitorWords(this.#monitored)
  }

  async #start(): Promise<void> {
    this.#next = this.#trace.config
    const loaded = await this.#load(this.#next)
    if (!loaded.config) throw new Error(JSON.stringify(loaded.problems))
    const { log } = recordingLog('silent')
    const { kernel } = this
    const counting = {
      ...kernel,
      // The kernel stays open, because the trace may have another start.
      waiting: () => 0,
      close: () => {},
      dump: () => {
        this.#rounds++
        return kernel.dump()
      },
    }
    this.#daemon = await startDaemon({
      loaded: { ...loaded, config: loaded.config },
      kernel: counting,
      kernelName: 'memory',
      journal: memoryJournal(),
      log,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      load: () => this.#load(this.#next),
      listeners: [this.#listener(), tableSentences(this.#log.log)],
      executors: onResult => this.#executors(onResult),
    })
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop()
    this.#daemon = null
  }

  async #load(text: string): Promise<Loaded> {
    const loaded = await loadCf(text.replaceAll(THERE, `${this.#folder}/`))
    if (!loaded.config) return loaded
    const settings = { ...loaded.config.settings, resync: RESYNC }
    const config = { ...loaded.config, settings }
    return withPaths({ ...loaded, config }, { socket: join(this.#folder, 'lvsd.sock') })
  }

  async #reload(file: string | undefined): Promise<void> {
    if (file !== undefined) this.#next = this.#trace.files.get(file) ?? ''
    await this.#daemon?.reload(false)
  }

  async #edit(commandLine: string): Promise<void> {
    const [error] = await this.kernel.byHand.apply([changeOf(commandLine)])
    if (error) throw error
  }

  /** Executes the file operations of the traces, which are Perl expressions. */
  #evaluate(expression: string): void {
    const made = /open\(F,'>([^']+)'\)/.exec(expression)
    const gone = /unlink '([^']+)'/.exec(expression)
    const all = /unlink glob '([^'*]+)\*'/.exec(expression)
    const path = (name: string) => join(this.#folder, name)
    if (made) {
      mkdirSync(dirname(path(made[1] as string)), { recursive: true })
      writeFileSync(path(made[1] as string), '')
    }
    if (gone) rmSync(path(gone[1] as string))
    const folder = path(all?.[1] ?? 'none')
    if (all && existsSync(folder)) for (const name of readdirSync(folder)) rmSync(join(folder, name))
    const shown = /^`cat (\S+)`/.exec(expression)
    if (shown) this.#monitored = readFileSync(path(shown[1] as string), 'utf8')
  }

  /** Delivers one result for each job, from the state of its server. */
  #answer(): void {
    for (const [id, { check, target }] of this.#work) {
      const { address, port, real } = target
      const names = [endpoint(address, port), endpoint(real.address, real.port)]
      const isUp = check.name === 'off' ? false : !names.some(name => this.#down.has(name))
      this.#report(id, isUp || check.name === 'on' || check.name === 'none' ? passed() : failed())
    }
  }

  #executors(onResult: OnResult): Executors {
    this.#report = onResult
    const idle = {
      running: 0,
      lateness: { p50: 0, p99: 0, max: 0 },
      stalls: 0,
      stalledFor: 0,
      sinceStall: null,
      noVerdicts: 0,
    }
    return {
      set: (id, work) => void this.#work.set(id, work),
      retime: () => {},
      remove: id => void this.#work.delete(id),
      soon: () => {},
      atOnce: () => {},
      giveUpConnecting: () => {},
      next: () => null,
      sources: () => new Map(),
      stats: () => ({ engine: 'portable', jobs: this.#work.size, ...idle }),
      waiting: () => 0,
      firstRun: () => null,
      firstChecks: () => null,
      close: () => this.#work.clear(),
    }
  }

  /** Returns a listener that records commands instead of running them, and the monitorfile. */
  #listener(): EventListener {
    return {
      traffic: ({ fallbackcommand, id }, hasTraffic) => {
        const virtual = id?.kind === 'address' ? [endpoint(id.address, id.port), id.protocol] : [':0', 'fwm']
        if (fallbackcommand !== null)
          this.calls.push([fallbackcommand, hasTraffic ? 'stop' : 'start', ...virtual].join(' '))
      },
      result(subscribers, result) {
        for (const subscriber of subscribers) {
          const { monitorfile } = subscriber.service
          const line = monitorLine(subscriber, result, new Date(), 1)
          if (monitorfile !== null && line !== null) writeFileSync(monitorfile, line, { flag: 'a' })
        }
      },
    }
  }
}

/** Returns each line without time, process id and detail. */
export function monitorWords(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/^\[[^\]]*\] \[\d+\] /, '').replace(/(\[(?:up|down)\]).*/, '$1'))
    .sort()
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 2))
}
