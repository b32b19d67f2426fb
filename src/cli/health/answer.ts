/**
 * Answers a plain `lvsd health` with few modules: no parser, no HTTP client. keepalived runs it each second, and most of what
 * a command costs is the loading of its modules. What is not an answer of lvsd is left to the command itself, which
 * explains it.
 */
import { connect } from 'node:net'
import { DEFAULT_SOCKET } from '../../api/default-socket.js'
import type { HealthDocument } from '../../api/role-types.js'
import { printable } from '../../util/printable.js'
import { EXIT, type ExitCode } from '../command.js'
import { healthLine } from './line.js'
import type { HealthQuestion } from './question.js'

/** Milliseconds until the answer must be there. */
const PATIENCE = 2000
/** Bytes; an answer has a few hundred. */
const LONGEST = 65_536
/** In the locale of a terminal without UTF-8, the command itself writes what is not ASCII. */
const PLAIN = /^[\x20-\x7e\n]*$/

/** Prints the answer and returns the exit code; null: the command itself has to run. */
export async function answerHealth(question: HealthQuestion): Promise<ExitCode | null> {
  const path = question.socket ?? (process.env.LVSD_SOCKET || DEFAULT_SOCKET)
  const answer = await ask(path, question.services)
  // The command would wait as long once more, and keepalived does not.
  if (answer === 'late') return sayLate(path)
  if (answer === null) return null
  const { isGood, text } = healthLine(answer, question)
  const code = isGood ? EXIT.ok : EXIT.problem
  if (text === null) return code
  if (!question.json && !PLAIN.test(text)) return null
  return (await isWritten(`${text}\n`)) ? code : null
}

/**
 * An exchange of HTTP/1.0, whose answer comes in one piece and ends with the connection. Null: no answer, or another one
 * than a document.
 */
function ask(path: string, services: string | null): Promise<HealthDocument | 'late' | null> {
  const query = services === null ? '' : `?${new URLSearchParams({ services })}`
  return new Promise(resolve => {
    let text = ''
    const socket = connect(path)
    const late = setTimeout(() => {
      resolve('late')
      socket.destroy()
    }, PATIENCE)
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
      if (text.length > LONGEST) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(late)
      resolve(documentIn(text))
    })
    socket.write(`GET /v1/health${query} HTTP/1.0\r\nHost: lvsd\r\n\r\n`)
  })
}

function documentIn(answer: string): HealthDocument | null {
  const [, body] = /^HTTP\/1\.[01] 200 .*?\r\n\r\n(.*)$/s.exec(answer) ?? []
  if (body === undefined) return null
  try {
    const document = JSON.parse(body) as Partial<HealthDocument> | null
    return typeof document?.good === 'boolean' ? (document as HealthDocument) : null
  } catch {
    return null
  }
}

function isWritten(text: string): Promise<boolean> {
  return new Promise(resolve => {
    process.stdout.on('error', () => resolve(false))
    process.stdout.write(text, error => resolve(!error))
  })
}

async function sayLate(path: string): Promise<ExitCode> {
  const { explained } = await import('../../api/client.js')
  const { message } = explained(path, Object.assign(new Error('no answer in time'), { code: 'ABORT_ERR' }))
  process.stderr.on('error', () => {})
  process.stderr.write(`lvsd: ${printable(message)}\n`)
  return EXIT.unreachable
}
