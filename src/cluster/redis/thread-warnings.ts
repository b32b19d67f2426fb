/**
 * What the library and Node.js warn of in the thread of Redis: they write it to the console, which belongs to the log of
 * lvsd. Passed on without secrets, some in a minute; the others are dropped.
 */
import { toldOf } from './thread-protocol.js'

/** Warnings in a minute. */
export const MOST_WARNINGS = 10
const MINUTE = 60_000

interface Output {
  write: unknown
}

export interface WarningParts {
  /** The outputs of the thread: each text that is written to them is a warning, and written nowhere. */
  readonly outputs: readonly Output[]
  readonly secrets: ReadonlySet<string>
  tell(text: string): void
  now?(): number
}

export function tellWarnings({ outputs, secrets, tell, now = () => performance.now() }: WarningParts): void {
  let begunAt = Number.NEGATIVE_INFINITY
  let told = 0
  const warn = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
    if (now() - begunAt >= MINUTE) {
      begunAt = now()
      told = 0
    }
    if (told++ < MOST_WARNINGS)
      tell(toldOf({ code: '', message: String(chunk) }, [...secrets]).message.trim())
    const done = rest.find(each => typeof each === 'function')
    if (done) process.nextTick(done)
    return true
  }
  for (const output of outputs) output.write = warn
}
