/**
 * Opens a thread of the director that a command line will start, before the program of `lvsd run` is loaded: both load at the same
 * time. Imports next to nothing, since all commands load it.
 */
import { existsSync } from 'node:fs'
import { acceptedPath, homeOf } from '../accepted/accepted-path.js'
import { readFirstChecks } from '../accepted/first-checks.js'
import { isSmall, openReaderEarly } from '../config/reader.js'
import { beginEarly, engineProgram, openEngineEarly } from '../schedule/engine/early-engine.js'
import { decodeFirst, withJobs } from '../schedule/engine/first-orders.js'

/**
 * Opens the thread that a director needs first: for a long configuration the one that reads it, unless the accepted one is likely to
 * be the same, else that of the engine. A thread for a command line that turns out to be wrong ends with the process.
 */
export function openThreadsEarly([command, ...words]: readonly string[]): void {
  const file = command === 'run' ? fileIn(words) : null
  if (file === null) return
  try {
    const state = stateIn(words)
    // A configuration of this file was not accepted, as far as the command line and the environment tell.
    const isRead = !isSmall(file) && !existsSync(acceptedPath(state, file))
    if (isRead && openReaderEarly(file)) return
    const engine = openEngineEarly()
    const stored = engine && readFirstChecks(state, file, engineProgram())
    const first = stored && withJobs(decodeFirst(stored.bytes), stored.held)
    if (first && first.jobs.length > 0) beginEarly(engine, first)
  } catch {
    // The program looks at the file again, and says what is wrong.
  }
}

function stateIn(words: readonly string[]): string {
  const at = words.indexOf('--state')
  const given = at < 0 ? words.find(word => word.startsWith('--state='))?.slice(8) : words[at + 1]
  return given ?? homeOf(process.env)
}

/** The first word that is no option and no value of one; null: there is none, or the help is wanted. */
function fileIn(words: readonly string[]): string | null {
  if (words.includes('--help') || words.includes('-h')) return null
  const isValue = (i: number) => /^--[^=]+$/.test(words[i - 1] ?? '')
  return words.find((word, i) => !word.startsWith('-') && !isValue(i)) ?? null
}
