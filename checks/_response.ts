/** A response that some library has read from the wire, judged by the same judge as all others. */
import type { Answer } from '../src/check.js'
import { compileJudge } from '../src/probe/judge.js'
import { type HttpOptions, httpJudge } from './_http.js'

/** The judge hears it as one whose body ends with the connection: the library sees to its framing. */
export async function judgeResponse(
  status: string,
  body: AsyncIterable<Buffer>,
  options: HttpOptions,
): Promise<Answer> {
  const hearing = compileJudge(httpJudge(options))()
  const early = hearing.push(Buffer.from(`HTTP/1.1 ${status.trimEnd()}\r\n\r\n`, 'latin1'))
  if (early) return early
  for await (const chunk of body) {
    const answer = hearing.push(chunk)
    if (answer) return answer
  }
  return hearing.end()
}
