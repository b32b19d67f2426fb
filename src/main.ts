#!/usr/bin/env node
/**
 * The entry. Two answers come from few modules: to a shell that completes a word, because a person waits for it at each Tab, and
 * to `lvsd health`, which keepalived runs each second. Everything else is run by `cli/program.ts`; the threads of a director are
 * opened before it is loaded.
 */
import './system/node-version.js'
import { EXIT } from './cli/command.js'
import { questionOf } from './cli/completion/question.js'
import { openThreadsEarly } from './cli/early-threads.js'
import { type HealthQuestion, healthQuestionOf } from './cli/health/question.js'
import { startProgram } from './cli/start.js'

const words = process.argv.slice(2)
// A director that is being loaded has not read its configuration, so there is nothing to read again.
if (words[0] === 'run') process.on('SIGHUP', () => {})
const question = questionOf(words)
const health = question ? null : healthQuestionOf(words)
if (question) void import('./cli/completion/answer.js').then(({ printAnswer }) => printAnswer(question))
else if (health) void sayHealth(health)
else {
  openThreadsEarly(words)
  void start()
}

/** Where no descriptor is left to read the program, a stack would say nothing more. */
async function start(): Promise<void> {
  try {
    await startProgram(words[0])
  } catch (error) {
    if (!['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    process.stderr.write('lvsd: no file descriptor is left to start with: raise LimitNOFILE= or ulimit -n\n')
    process.exit(EXIT.fault)
  }
}

async function sayHealth(asked: HealthQuestion): Promise<void> {
  const { answerHealth } = await import('./cli/health/answer.js')
  const code = await answerHealth(asked)
  if (code === null) await start()
  else process.exitCode = code
}
