/** Responses that do not come as a probe's, judged by the same judge as those. */
import type { Socket } from 'node:net'
import type { Answer, RunContext } from '../src/check.js'
import { compileJudge, type Hearing } from '../src/probe/judge.js'
import { gathered } from '../src/probe/pace.js'
import { type HttpOptions, httpJudge, type JudgeOptions } from './_http.js'

const judges = new WeakMap<JudgeOptions, () => Hearing>()

/** A judge for one response; what all responses of one check share is made once. */
export function hearingOf(options: JudgeOptions): Hearing {
  const known = judges.get(options)
  if (known) return known()
  const compiled = compileJudge(httpJudge(options))
  judges.set(options, compiled)
  return compiled()
}

/** One exchange on a connection that stands. Null where the answer is a redirect that is to be followed. */
export async function exchange(
  socket: Socket,
  request: Uint8Array,
  options: HttpOptions,
  { phase }: RunContext,
): Promise<Answer | null> {
  phase('send')
  socket.write(request)
  const hearing = hearingOf(options)
  phase(hearing.phase)
  let start = ''
  for await (const chunk of gathered(socket)) {
    if (start.length < STATUS_LENGTH) start += chunk.toString('latin1', 0, STATUS_LENGTH - start.length)
    if (options.redirects > 0 && REDIRECT.test(start)) return null
    const answer = hearing.push(chunk)
    phase(hearing.phase)
    if (answer) return answer
  }
  return hearing.end()
}

const STATUS_LENGTH = 'HTTP/1.1 302'.length
const REDIRECT = /^HTTP\/1\.\d 30[12378]$/

/** Judges what some library has read from the wire. The judge hears it as one whose body ends with the connection: the library sees to its framing. */
export async function judgeResponse(
  status: string,
  body: AsyncIterable<Buffer>,
  options: HttpOptions,
): Promise<Answer> {
  const hearing = hearingOf(options)
  const early = hearing.push(Buffer.from(`HTTP/1.1 ${status.trimEnd()}\r\n\r\n`, 'latin1'))
  if (early) return early
  for await (const chunk of gathered(body)) {
    const answer = hearing.push(chunk)
    if (answer) return answer
  }
  return hearing.end()
}
