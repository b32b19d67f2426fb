/** Answers a completion script with names of the running lvsd. */
import { fetchTargets } from '../../api/client.js'
import type { Named } from '../../overrides/targets.js'
import { socketPath } from '../ask-daemon.js'
import type { Question } from './question.js'
import { wordsFor } from './words.js'

/** Milliseconds that a shell waits for names of the daemon. */
const PATIENCE = 250

/** Returns no words where no daemon answers: a message would appear in the middle of a command line. */
export async function answerTo(
  { source, begun, service, socket }: Question,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const named = await fetchTargets(socketPath(socket, env), PATIENCE).catch((): readonly Named[] => [])
  return wordsFor(source, begun, named, service)
}

/** Prints the words, each on a line. */
export async function printAnswer(question: Question): Promise<void> {
  // The shell may be gone.
  process.stdout.on('error', () => {})
  const words = await answerTo(question, process.env)
  if (words.length > 0) process.stdout.write(`${words.join('\n')}\n`)
}
