/** Calls `validate` and `missing` of users' files for the options of a configuration, in a worker for each file. */
import { fileURLToPath } from 'node:url'
import type { Check } from '../check/check.js'
import { problemOf } from '../check/option-problem.js'
import { z } from '../check/option-types.js'
import { type Reply, runErrand } from './errand.js'
import type { Verdict } from './read-kind.js'
import { inTurns } from './turns.js'

export interface Question<At> {
  readonly check: Check
  readonly options: Readonly<Record<string, unknown>>
  readonly at: At
}

/** A question with its answer. If the file fails, `wrong` says what it did. */
export type Judged<At> = Question<At> & Verdict

/** Milliseconds for all questions to one file. */
const PATIENCE = 3000
const AT_ONCE = 4
/** Maximum characters of a sentence. */
const LONGEST = 512

const VERDICT = z.object({
  kind: z.literal('verdict'),
  index: z.int().min(0),
  wrong: z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() }).nullable(),
  missing: z.string().nullable(),
})

/** Returns the answers that report something, for each question. Never rejects. */
export async function judgeApart<At>(questions: readonly Question<At>[]): Promise<readonly Judged<At>[]> {
  const byModule = grouped(questions, ({ check }) => check.module as string)
  const judged = await inTurns([...byModule], AT_ONCE, ([module, own]) => judgeModule(module, own))
  return judged.flat()
}

/** Asks about equal options only once. */
async function judgeModule<At>(
  module: string,
  questions: readonly Question<At>[],
): Promise<readonly Judged<At>[]> {
  const alike = [...grouped(questions, ({ options }) => JSON.stringify(options)).values()]
  const options = alike.map(([first]) => (first as Question<At>).options)
  const { replies, failure } = await runErrand(
    { module, task: { kind: 'judge', options } },
    {
      replies: options.length,
      patience: PATIENCE,
      tooLate: `\`validate\` or \`missing\` does not answer within ${PATIENCE / 1000} s`,
    },
  )
  const verdicts = verdictsOf(replies)
  // Answers arrive in order, so the first missing one belongs to the question that failed.
  const culprit = failure && alike.findIndex((_, i) => !verdicts.has(i))
  if (failure && culprit !== null)
    verdicts.set(culprit, {
      wrong: problemOf([], `${fileURLToPath(module)}: ${failure.message}`),
      missing: null,
    })
  return alike.flatMap((same, i) => {
    const verdict = verdicts.get(i)
    return verdict && (verdict.wrong ?? verdict.missing) !== null
      ? same.map(question => ({ ...question, ...verdict }))
      : []
  })
}

/** Returns the verdicts by the index of the question. An invalid reply counts as no answer. */
function verdictsOf(replies: readonly Reply[]): Map<number, Verdict> {
  const parsed = replies.flatMap(reply => VERDICT.safeParse(reply).data ?? [])
  const cut = (sentence: string) => sentence.slice(0, LONGEST)
  return new Map(
    parsed.map(({ index, wrong, missing }) => [
      index,
      { wrong: wrong && { ...wrong, message: cut(wrong.message) }, missing: missing && cut(missing) },
    ]),
  )
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
