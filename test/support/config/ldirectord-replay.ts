/** Replays a trace of ldirectord with lvsd, and compares both tables after each event. */
import assert from 'node:assert/strict'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { linesOfTable } from '../../parity/table-lines.js'
import { changeOf, commandsOf } from '../ipvsadm.js'
import { monitorWords, type Trace, TraceStage, type TraceStep } from './ldirectord-trace.js'

/** An intended difference of the tables and its reason, from section 21 of the inventory of ldirectord. */
export interface Difference {
  readonly because: string
  /** First and last step, counted from 1, with the difference. */
  readonly steps: readonly [from: number, to: number]
  /** Lines that only ldirectord has (`without`), and lines that only lvsd has (`with`). */
  readonly without?: readonly string[]
  readonly with?: readonly string[]
}

/**
 * Fails if the tables differ, or if a listed difference does not occur. Also fails if the log messages about a check
 * differ, unless `says` has a reason for that.
 */
export async function replay(
  trace: Trace,
  differences: readonly Difference[] = [],
  says: string | null = null,
): Promise<void> {
  const theirs = memoryKernel()
  const stage = new TraceStage(trace)
  let before = { calls: 0, sentences: 0 }
  try {
    for (const [i, step] of trace.steps.entries()) {
      const what = `step ${i + 1}: ${step.event}`
      const lines = await theirTable(theirs, step, what)
      await stage.play(step)
      const listed = differences.filter(({ steps: [from, to] }) => from <= i + 1 && i < to)
      const expected = listed.reduce(applied, lines)
      if (/^(start|check|reload|stop)/.test(step.event))
        assert.deepEqual(await stage.table(expected), expected, what)
      // At a start and a reload the servers of ldirectord flap, so only checks are compared.
      if (step.event === 'check' && listed.length === 0) {
        assert.deepEqual(stage.calls.slice(before.calls), step.calls, what)
        const sentences = stage.sentences.slice(before.sentences).sort()
        if (says === null) assert.deepEqual(sentences, [...step.sentences].sort(), what)
      }
      // A file of the maintenance folder is noticed before or during the check.
      if (!step.event.startsWith('eval'))
        before = { calls: stage.calls.length, sentences: stage.sentences.length }
      if (step.event.startsWith('eval `cat'))
        assert.deepEqual(stage.monitored, monitorWords(step.value), what)
    }
  } finally {
    await stage.stop()
  }
}

/** Returns ldirectord's table from its commands, which have more detail than the listing. Fails if these differ. */
async function theirTable(
  theirs: ReturnType<typeof memoryKernel>,
  { commands, listing }: TraceStep,
  what: string,
): Promise<string[]> {
  const outcomes = await theirs.apply(commands.map(changeOf))
  assert.deepEqual(outcomes.filter(Boolean), [], what)
  const lines = linesOfTable((await theirs.dump()).table)
  if (listing) assert.deepEqual(lines.map(withoutThresholds), await tableOf(listing), what)
  return lines
}

async function tableOf(listing: readonly string[]): Promise<string[]> {
  const kernel = memoryKernel()
  await kernel.apply(commandsOf(listing).map(changeOf))
  return linesOfTable((await kernel.dump()).table)
}

function withoutThresholds(line: string): string {
  return line.replace(/ u:\d+ l:\d+$/, '')
}

function applied(lines: readonly string[], difference: Difference): string[] {
  const { because, without = [], with: more = [] } = difference
  for (const line of without) assert.ok(lines.includes(line), `${because}: ldirectord has ${line}`)
  for (const line of more) assert.ok(!lines.includes(line), `${because}: ldirectord has not ${line}`)
  return [...lines.filter(line => !without.includes(line)), ...more].sort()
}
