import { type Answer, defineCheck, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { compileMatch, showMatch, tooSlow } from '../src/probe/match-text.js'
import { type Budget, newBudget } from '../src/search/budget.js'
import { readPattern } from '../src/search/perl-flags.js'
import { counted } from '../src/util/plural.js'
import { brief, converse, type Dialogue, LIMIT } from './lib/dialogue.js'
import { CheckFailure } from './lib/failure.js'
import { hexBytes, unescapeBytes } from './lib/match.js'
import { givenOf, type TlsOptions, tlsOptions, tlsProblem } from './lib/tls.js'

function dialogueOptions(kit: OptionKit) {
  return {
    steps: kit.secretList(
      undefined,
      `The steps, in order. A step begins with one of: ${Object.keys(VERBS).join(', ')}`,
    ),
    tls: kit.flag(false, 'Use TLS from the start; the step tls starts it later'),
    ...tlsOptions(kit),
  }
}

type DialogueOptions = Parsed<ReturnType<typeof dialogueOptions>>

/** Sends and expects configured text or bytes, for protocols without a kind of their own. */
export const check = defineCheck({
  name: 'dialogue',
  summary: 'sends and expects text or bytes, step by step, over TCP or TLS',

  options: dialogueOptions,

  validate(options) {
    const { steps, tls } = options
    if (steps.length === 0) return problemOf('steps', 'steps needs at least one step')
    for (const [i, step] of steps.entries()) {
      const problem = stepProblem(step)
      // The text may be a password, so only its verb is shown.
      if (problem !== null) return problemOf(['steps', i], `step ${i + 1}, "${partsOf(step)[0]}": ${problem}`)
    }
    const given = givenOf(options)
    return !tls && !steps.includes('tls') && given !== null
      ? problemOf(given, `${given} needs tls: true or the step tls`)
      : tlsProblem(options)
  },

  takesPath: () => true,
  run: (target, options, context) =>
    converse(target, context, options.tls ? options : null, async dialogue => {
      const around = { options, budget: newBudget() }
      let last = ''
      for (const [i, step] of options.steps.entries()) {
        const [verb, rest] = partsOf(step)
        last = (await VERBS[verb]?.take(dialogue, rest, { ...around, place: `step ${i + 1}` })) ?? last
      }
      return heard(last, options)
    }),
})

function heard(last: string, { steps }: DialogueOptions): Answer {
  const all = counted(steps.length, 'step')
  return up(last === '' ? all : `${all}, last heard "${brief(last)}"`)
}

interface Around {
  readonly options: TlsOptions
  /** Shared by the patterns of all steps. */
  readonly budget: Budget
  /** Name of the step in messages. They do not contain the sent text, which may be a password. */
  readonly place: string
}

interface Verb {
  /** Returns the error in the argument of the verb, or null. */
  problem(rest: string): string | null
  /** Executes the step. Returns the received line, if any. */
  take(dialogue: Dialogue, rest: string, around: Around): Promise<string | undefined> | undefined
}

const VERBS: Readonly<Record<string, Verb>> = {
  /** Sends text without adding a line end. */
  send: {
    problem: textProblem,
    take: (dialogue, text, { place }) => say(dialogue, unescapeBytes(text), place),
  },
  'send-hex': {
    problem: hexProblem,
    take: (dialogue, hex, { place }) => say(dialogue, hexBytes(hex) ?? new Uint8Array(), place),
  },
  /** Skips data up to and including this text. */
  expect: {
    problem: textProblem,
    take: (dialogue, text) => until(dialogue, unescapeBytes(text), JSON.stringify(text)),
  },
  'expect-hex': {
    problem: hexProblem,
    take: (dialogue, hex) => until(dialogue, hexBytes(hex) ?? new Uint8Array(), `the bytes ${hex}`),
  },
  /** The next line must match. */
  line: {
    problem: patternProblem,
    async take(dialogue, pattern, { budget }) {
      const line = await dialogue.line(LIMIT)
      if (!matches(pattern, line, budget)) throw dialogue.fault('unexpected', line, `/${pattern}/`)
      return line
    },
  },
  /** Skips lines until one matches. */
  lines: {
    problem: patternProblem,
    async take(dialogue, pattern, { budget }) {
      for (;;) {
        const line = await dialogue.line(LIMIT)
        if (matches(pattern, line, budget)) return line
      }
    },
  },
  tls: {
    problem: rest => (rest === '' ? null : 'the step tls has no text'),
    async take(dialogue, _rest, { options }) {
      await dialogue.startTls(options)
      return undefined
    },
  },
}

function say(dialogue: Dialogue, bytes: Uint8Array, place: string): undefined {
  dialogue.write(bytes, place)
}

async function until(dialogue: Dialogue, bytes: Uint8Array, shown: string): Promise<undefined> {
  await dialogue.until(bytes, shown)
}

function matches(pattern: string, line: string, budget: Budget): boolean {
  const match = { kind: 'regexp', ...readPattern(pattern) } as const
  const found = compileMatch(match).begin(budget).occursIn(Buffer.from(line))
  if (found !== null) return found
  throw new CheckFailure('error', tooSlow(showMatch(match)).detail)
}

function partsOf(step: string): [verb: string, rest: string] {
  const [, verb = '', rest = ''] = /^(\S*) ?([\s\S]*)$/.exec(step) ?? []
  return [verb, rest]
}

function stepProblem(step: string): string | null {
  const [verb, rest] = partsOf(step)
  const known = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (known) return known.problem(rest)
  const bare = verb.replace(/:$/, '')
  if (bare !== verb && Object.hasOwn(VERBS, bare)) return `write ${bare} without the colon`
  return `a step begins with one of ${Object.keys(VERBS).join(', ')}`
}

function textProblem(text: string): string | null {
  return text === '' ? 'a text is missing' : null
}

function hexProblem(hex: string): string | null {
  return hex !== '' && hexBytes(hex) ? null : 'pairs of hexadecimal digits are missing, such as 00 1c ff'
}

function patternProblem(text: string): string | null {
  try {
    const { source, flags } = readPattern(text)
    new RegExp(source, flags)
    return text === '' ? 'a regular expression is missing' : null
  } catch (error) {
    return (error as Error).message
  }
}
