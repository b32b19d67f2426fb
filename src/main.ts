#!/usr/bin/env node
/**
 * The entry. A shell that completes a word gets its answer from few modules, because a person waits for it at each Tab;
 * everything else is run by `cli/program.ts`.
 */
import './system/node-version.js'
import { questionOf } from './cli/completion/question.js'

const question = questionOf(process.argv.slice(2))
if (question) void import('./cli/completion/answer.js').then(({ printAnswer }) => printAnswer(question))
else void import('./cli/program.js')
