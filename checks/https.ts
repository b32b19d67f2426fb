import type { TLSSocket } from 'node:tls'
import { type Answer, defineCheck, type RunContext, type Target } from '../src/check.js'
import { type HttpOptions, hostName, httpOptions, httpProblem, requestBytes } from './_http.js'
import { hearingOf } from './_response.js'
import { connectTls, type TlsOptions, tlsAnswer, tlsOptions, tlsProblem } from './_tls.js'

/** Asks a web server for a page over TLS, on a connection of its own. */
export const check = defineCheck({
  name: 'https',
  summary: 'asks a web server for a page over TLS; judges certificate, status and body',
  defaultPort: 443,

  options: kit => ({
    ...httpOptions(kit),
    ...tlsOptions(kit),
    http2: kit.flag(false, 'Speak HTTP/2; a server that does not offer it is down'),
  }),

  validate(options) {
    // Libraries that follow redirects over HTTP/2 remember by name who speaks it; real servers share their name.
    if (options.http2 && options.redirects > 0)
      return 'redirects are followed over HTTP/1.1 only: leave out http2'
    return httpProblem(options) ?? tlsProblem(options)
  },

  async run(target, options, context) {
    try {
      if (options.redirects > 0)
        return await (await import('./_got.js')).follow('https', target, options, context, options)
      if (options.http2) return await (await import('./_http2.js')).ask(target, options, context)
      return await exchange(target, options, context)
    } catch (error) {
      const answer = tlsAnswer(error)
      if (answer) return answer
      throw error
    }
  },
})

/** One request and its response over TLS, judged while it comes in. */
async function exchange(
  target: Target,
  options: HttpOptions & TlsOptions,
  context: RunContext,
): Promise<Answer> {
  const { address, port } = target
  const peer = { host: address.text, port, name: hostName(options.virtualhost) }
  const socket = await connectTls(peer, options, context)
  try {
    context.phase('send')
    socket.write(requestBytes(target, options, 'https'))
    return await hear(socket, options, context)
  } finally {
    socket.destroy()
  }
}

async function hear(socket: TLSSocket, options: HttpOptions, { phase }: RunContext): Promise<Answer> {
  const hearing = hearingOf(options)
  phase(hearing.phase)
  for await (const chunk of socket) {
    const answer = hearing.push(chunk)
    phase(hearing.phase)
    if (answer) return answer
  }
  return hearing.end()
}
