/**
 * Validates what a worker sends, because code in it can access the connection to the core and can modify the objects
 * that lvsd's own part of the worker uses. Only the validated copy is used.
 */
import { answerOf } from '../check/run-code.js'
import type { Fault, Report } from './messages.js'

/** Maximum characters of a message, of a phase name, and of printed output. */
const DETAIL = 300
const WORD = 32
const BEGINNING = 200
/** Maximum number of reports in one message: those of all runs that a worker can have, and their phases. */
const MOST = 20_000

/** Returns the reports of a message, or null if any of them is invalid. Never throws. */
export function readReports(message: unknown): readonly Report[] | null {
  if (!Array.isArray(message) || message.length > MOST) return null
  const reports: Report[] = []
  for (const item of message) {
    const report = readReport(item)
    if (!report) return null
    reports.push(report)
  }
  return reports
}

type Given = Readonly<Record<string, unknown>>

function readReport(item: unknown): Report | null {
  if (typeof item !== 'object' || item === null) return null
  const given = item as Given
  switch (given.say) {
    case 'ready':
      return { say: 'ready' }
    case 'loaded':
      return loaded(given)
    case 'fault':
      return fault(given.fault)
    default:
      return ofRun(given)
  }
}

function loaded({ module, problem }: Given): Report | null {
  if (typeof module !== 'string' || (problem !== null && typeof problem !== 'string')) return null
  return { say: 'loaded', module, problem: problem?.slice(0, DETAIL) ?? null }
}

const FAULTS: ReadonlySet<unknown> = new Set<Fault['kind']>(['exit', 'threw', 'rejected', 'held'])

function fault(value: unknown): Report | null {
  if (typeof value !== 'object' || value === null) return null
  const { kind, detail, run } = value as Given
  if (!FAULTS.has(kind) || typeof detail !== 'string' || !(run === null || isNumber(run))) return null
  return { say: 'fault', fault: { kind: kind as Fault['kind'], detail: detail.slice(0, DETAIL), run } }
}

function ofRun(given: Given): Report | null {
  const { run } = given
  if (given.say === 'output') return output(given)
  if (!isNumber(run)) return null
  switch (given.say) {
    case 'answer': {
      const answer = answerOf(given.answer)
      return answer && isNumber(given.at) ? { say: 'answer', run, answer, at: given.at } : null
    }
    case 'phase': {
      const { phase, ms } = (given.time ?? {}) as Given
      const { place } = given
      const isKnown = isWord(phase) && isNumber(ms) && isNumber(place)
      return isKnown ? { say: 'phase', run, time: { phase, ms }, place } : null
    }
    case 'entered':
      return isWord(given.phase) ? { say: 'entered', run, phase: given.phase } : null
    case 'settled':
      return { say: 'settled', run }
    default:
      return null
  }
}

function output({ bytes, beginning, run }: Given): Report | null {
  if (!isNumber(bytes) || typeof beginning !== 'string' || !(run === null || isNumber(run))) return null
  return { say: 'output', bytes, beginning: beginning.slice(0, BEGINNING), run }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** True for the name of a phase, lvsd's or the check's own. */
function isWord(value: unknown): value is Extract<Report, { say: 'entered' }>['phase'] {
  return typeof value === 'string' && value.length <= WORD
}
