/**
 * Regular expressions come from people's configurations and are run on what strangers send. Some take time that grows
 * with the square of the text, some (`(a+)+$`) double it with each character, and an expression that runs holds up all
 * of lvsd. Those that might are run under a watchdog, which costs a tenth of a millisecond.
 */
import { createContext, Script } from 'node:vm'

/** Milliseconds; longer than any honest expression needs for a web page. */
const PATIENCE = 50
/** An expression with a single repetition is quadratic at worst, which on so short a text is harmless. Characters. */
const SHORT = 2048
/** Answers up to this length are remembered: most servers say the same each time. Characters. */
const MEMORY = 16_384

/** Whether it occurs in the text; null where that was not known in time. */
export type Search = (text: string) => boolean | null

export function compileRegexp(source: string, flags: string): Search {
  // `g` and `y` would make the answer depend on the one before.
  const pattern = new RegExp(source, flags.replace(/[gy]/g, ''))
  const repetitions = repetitionsIn(source)
  if (repetitions === 0) return text => pattern.test(text)
  const search = remembering(text => testGuarded(pattern, text))
  return repetitions > 1 ? search : text => (text.length <= SHORT ? pattern.test(text) : search(text))
}

/** At least as many as there are; those inside a class or escaped are counted too, and a row of options as one. */
function repetitionsIn(source: string): number {
  const options = source.split('?').length - 1
  return source.split(/[*+{]/).length - 1 + (options > 8 ? options : 0)
}

function remembering(search: Search): Search {
  let last: string | null = null
  let found: boolean | null = null
  return text => {
    if (text === last) return found
    found = search(text)
    last = text.length <= MEMORY ? text : null
    return found
  }
}

const room = { pattern: /x/, text: '' }
const script = new Script('pattern.test(text)')
let context: object | undefined

/** Tries twice, for the watchdog's clock also runs while lvsd is stopped. */
function testGuarded(pattern: RegExp, text: string): boolean | null {
  context ??= createContext(room)
  room.pattern = pattern
  room.text = text
  return runOnce(context) ?? runOnce(context)
}

function runOnce(within: object): boolean | null {
  try {
    return script.runInContext(within, { timeout: PATIENCE }) as boolean
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw error
  }
}
