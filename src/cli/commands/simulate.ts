/** lvsd simulate: a site whose servers fail at random, on a virtual clock. */
import { getHeapStatistics } from 'node:v8'
import { type FailureSpec, FailureSpecError, parseFailures, parseSpan } from '../../simulate/failure-spec.js'
import { simulate } from '../../simulate/simulation.js'
import { configArgument, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit } from '../load-or-exit.js'
import { usageError } from '../parse.js'
import { renderSimulation, simulationAsJson } from '../terminal/simulation.js'

/** Maximum number of real servers. */
const MOST_REALS = 1_000_000
/** Runs of checks whose processor time is measured. */
const MEASURED = 100_000
/** Bytes of the heap for each real server, measured with 100,000 of them. */
const BYTES_EACH = 18_000

export const command = defineCommand({
  name: 'simulate',
  summary: 'Simulate failures of the servers of a site, also of a much larger one, in less time',
  details: `Runs the scheduler, the health, the desired table and the differences of lvsd on a virtual clock with a table in memory. Nothing
is sent to any server or to the kernel, and names are not looked up. Servers fail at random; the same seed gives the same failures to
every configuration, so two configurations can be compared.

SPEC is a list such as mttf=30d,mttr=10m. A number without a unit is seconds. Times are means of exponential distributions:
- mttf: from the end of a failure to the next one of the same server (30d)
- mttr: from a failure to its end (10m)
- flapping: share of the servers that flap (0.1%); flap: time that they are up, and that they are down (5m)
- slow: share of the servers that answer in a third of the time limit on average, one answer in twenty too late (0.1%)
- silent: share of the failures in which a server does not answer at all; in the others it refuses (50%)
- false: probability that a check of a server that is well fails (0.001%)
- latency: time of an answer (2ms)
- hint: time from a failure in which a server refuses to the hint of its sentinel, where the check has one (20ms)

"none", alone: nothing fails.

Not simulated: drains and maintenance, takeovers, and hints other than those of sentinels. Where lvsd would knock on servers that refuse,
they return earlier than here: the report says "return, without knocking".

A removal is false if the server was up when its last check began. Each check takes --cost of a processor, so a director that is too
small is late, as it would be. A check that is sure to pass on a server that is up changes nothing: after the first ${MEASURED}, on which
the processor time of each is measured, such checks are counted in their turn and not run; the report is the same. --every-check runs
them all. Ctrl-C, or the end of --within, ends the simulation with what it has.`,
  arguments: configArgument,
  options: {
    reals: {
      value: 'NUMBER',
      about: 'this many real servers: the services of the configuration again and again',
    },
    failures: { value: 'SPEC', default: '', about: 'how servers fail' },
    for: { value: 'DURATION', default: '1h', about: 'time to simulate after the first results: 24h' },
    within: { value: 'DURATION', default: '15m', about: 'end after this real time' },
    seed: { value: 'NUMBER', default: '1', about: 'the same number gives the same failures' },
    cost: { value: 'MICROSECONDS', default: '55', about: 'processor time of one check' },
    'every-check': { about: 'run also the checks that are sure to change nothing' },
    json: { short: 'j', about: 'the report as JSON' },
  },
  examples: [
    ['lvsd simulate site.yaml --for 24h', 'a day of this site'],
    ['lvsd simulate site.yaml --reals 100000 --for 24h', 'is one director enough for this many?'],
    ['lvsd simulate site.yaml --failures mttf=1h,slow=2%', 'are slow servers taken out by mistake?'],
  ],
  async run(context) {
    const { options } = context
    const failures = failuresOf(options.failures)
    const input = {
      reals: options.reals === undefined ? null : numberOf('reals', options.reals, 1, MOST_REALS),
      seed: numberOf('seed', options.seed, 0, 2 ** 31),
      cost: numberOf('cost', options.cost, 0, 1_000_000) / 1000,
      for: spanOf('for', options.for),
      within: spanOf('within', options.within),
      failures,
      measured: options['every-check'] ? Number.POSITIVE_INFINITY : MEASURED,
    }
    if (input.reals !== null) refuseTooMany(input.reals, getHeapStatistics().heap_size_limit)
    const { config, checks } = await loadConfigOrExit(context.arguments.CONFIG, context)
    let isInterrupted = false
    const forget = context.onSignal(['SIGINT', 'SIGTERM'], () => {
      isInterrupted = true
    })
    const isOver = () => isInterrupted || context.outputClosed.aborted
    const report = await simulate({ ...input, config, checks, isInterrupted: isOver }).finally(forget)
    if (options.json) context.printData(simulationAsJson(report))
    else context.print(renderSimulation(report))
    return report.ended === 'full' ? EXIT.problem : EXIT.ok
  },
})

function failuresOf(text: string): FailureSpec {
  try {
    return parseFailures(text)
  } catch (error) {
    if (!(error instanceof FailureSpecError)) throw error
    throw usageError(`--failures, character ${error.at}: ${error.message}`, 'simulate')
  }
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw usageError(`--${option} takes a number from ${least} to ${most}, not "${text}"`, 'simulate')
}

/** A process whose heap is full would end without a report. */
export function refuseTooMany(reals: number, heapLimit: number): void {
  const needed = reals * BYTES_EACH
  if (needed <= heapLimit) return
  const [want, have] = [needed, heapLimit].map(bytes => Math.ceil(bytes / 2 ** 20))
  throw usageError(
    `--reals ${reals} needs about ${want} MB of memory, and Node.js takes ${have} MB at most: NODE_OPTIONS=--max-old-space-size=${want} raises that`,
    'simulate',
  )
}

function spanOf(option: string, text: string): number {
  const ms = parseSpan(text)
  if (ms !== null) return ms
  throw usageError(`--${option} takes a duration such as 90s, 24h or 30d, not "${text}"`, 'simulate')
}
