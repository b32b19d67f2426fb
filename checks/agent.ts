import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import { answerFromError, isAbort } from '../src/check/error-to-answer.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { MAX_WEIGHT } from '../src/core/model.js'
import { readWords } from './lib/agent.js'
import { brief, converse } from './lib/dialogue.js'
import { CheckFailure } from './lib/failure.js'
import { unescapeBytes } from './lib/match.js'

/** Fraction of the time limit that the agent has. The rest is reserved for the result if the agent is silent. */
const SHARE = 0.8
/** Maximum delay of a timer in milliseconds. */
const LONGEST = 2 ** 31 - 1

/** Default limit, in per cent of the configured weight: more than an agent needs, and no more than ten servers. */
const MOST = 1000
/** Maximum size in bytes of an agent's answer with its comment; HAProxy's buffer has the same size. */
const LINE_LIMIT = 16_384

function agentOptions(kit: OptionKit) {
  return {
    send: kit.text('', 'Text to send first; \\n, \\r, \\t, \\0, \\\\ and \\xHH are understood'),
    'max-weight': kit.number(
      0,
      'Limit for the weight that the agent sets, as a share or as a number; a higher one is reduced to it; 0 is ten times the configured weight. As high as the weight of a real server: 2147483647',
      { max: MAX_WEIGHT },
    ),
    hold: kit.duration(
      '1m',
      'How long the last words of an agent stay valid while it says none: silent, absent, or sending an endless line',
    ),
    silence: kit.choice(
      ['up', 'down'],
      'up',
      'What it means if an agent says nothing after that time: the agent is ignored (up; give the server another check too), or the server is down',
    ),
  }
}

type AgentOptions = Parsed<ReturnType<typeof agentOptions>>

/** Asks an agent on the server, in HAProxy's protocol, for its state and weight. */
export const check = defineCheck({
  name: 'agent',
  aliases: ['agent-check'],
  summary: "asks an agent on the checkport for state and weight, in the protocol of HAProxy's agent-check",
  connects: false,

  options: agentOptions,
  provesLife: ({ silence }) => silence === 'down',

  takesPath: () => true,
  async run(target, options, context) {
    const heard = await listen(target, options, context)
    if ('why' in heard) return silent(target, options, heard.why)
    return heard.word.reason === 'garbage' ? heard.word : remember(target, options, heard.word)
  },
})

type Heard = { readonly word: Answer } | { readonly why: Answer }

/** Asks the agent. Returns its answer, or the failure. */
async function listen(target: Target, options: AgentOptions, context: RunContext): Promise<Heard> {
  const { send } = options
  const most = options['max-weight'] === 0 ? { percent: MOST } : { weight: options['max-weight'] }
  const patience = new AbortController()
  const hangUp = () => patience.abort()
  const wait = Math.ceil(context.timeout * SHARE)
  const timer = setTimeout(hangUp, wait)
  context.signal.addEventListener('abort', hangUp, { once: true })
  try {
    let word: Answer | null = null
    const why = await converse(target, { ...context, signal: patience.signal }, null, async dialogue => {
      if (send !== '') dialogue.write(unescapeBytes(send))
      const line = await dialogue.word(LINE_LIMIT)
      word = readWords(line, most)
      // As in HAProxy, an agent that sends no word is handled like a silent one.
      return word ?? down('unexpected', `the agent says "${brief(line)}", which contains no word`)
    })
    return word ? { word } : { why }
  } catch (error) {
    const why = isAbort(error)
      ? new CheckFailure('timeout', `no word within ${wait} ms`).answer
      : answerFromError(error)
    return { why }
  } finally {
    clearTimeout(timer)
    context.signal.removeEventListener('abort', hangUp)
  }
}

// ---------------------------------------------------------------- what holds

/** The last answer of each agent, until its `hold` time ends. */
const lastWords = new Map<string, { readonly word: Answer; readonly timer: NodeJS.Timeout }>()

function remember(target: Target, options: AgentOptions, word: Answer): Answer {
  const key = keyOf(target, options)
  clearTimeout(lastWords.get(key)?.timer)
  // The timer must not keep the process alive.
  const timer = setTimeout(() => lastWords.delete(key), Math.min(options.hold, LONGEST)).unref()
  lastWords.set(key, { word, timer })
  return word
}

function silent(target: Target, options: AgentOptions, why: Answer): Answer {
  // No verdict: lvsd itself could not run the check.
  if (why.ok === null) return why
  const held = lastWords.get(keyOf(target, options))?.word
  const does = (why.reason && WORDLESS[why.reason]) || 'is silent'
  if (held) return { ...held, detail: `${held.detail}; holds while the agent ${does}: ${why.detail}` }
  if (options.silence === 'down') return why
  return up(`the agent ${does} and is ignored: ${why.detail}`)
}

/** Descriptions of an agent that sends data but no word. It is handled like a silent one: its server keeps its weight. */
const WORDLESS: Readonly<Record<string, string>> = {
  unexpected: 'says no word',
  'too-big': 'sends an endless line',
}

/** Through the path of a service, the path alone tells the real server. */
function keyOf({ address, port, marked }: Target, options: AgentOptions): string {
  return JSON.stringify([address.text, port, marked?.path, options.send, options.hold, options['max-weight']])
}
