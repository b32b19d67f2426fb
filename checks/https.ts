import { defineCheck, type RunContext, type Target } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { expectedAnswer } from '../src/probe/expectation.js'
import { destinationOf } from './lib/destination.js'
import { type HttpOptions, hostName, httpJudge, httpOptions, httpProblem, requestBytes } from './lib/http.js'
import { exchange } from './lib/response.js'
import { askOverTls } from './lib/resumption.js'
import { type TlsOptions, tlsAnswer, tlsOptions, tlsProblem } from './lib/tls.js'

/** Requests a page from a web server over TLS on a new connection. */
export const check = defineCheck({
  name: 'https',
  summary: 'requests a page from a web server over TLS; checks certificate, status and body',
  defaultPort: 443,
  scheme: 'https',

  options: kit => ({
    ...httpOptions(kit),
    ...tlsOptions(kit),
    http2: kit.flag(false, 'Speak HTTP/2; a server that does not offer it is down'),
  }),

  validate(options) {
    // Libraries that follow redirects over HTTP/2 remember by name which servers support it, but real servers share a
    // name.
    if (options.http2 && options.redirects > 0)
      return problemOf('redirects', 'redirects are followed over HTTP/1.1 only: leave out http2')
    return httpProblem(options) ?? tlsProblem(options)
  },

  expects: options => `${expectedAnswer(httpJudge(options))}, over TLS`,

  // A redirect is another connection, maybe to another host.
  takesPath: ({ redirects }) => redirects === 0 || 'redirects',
  async run(target, options, context) {
    try {
      if (options.http2) return await (await import('./lib/http2.js')).ask(target, options, context)
      const answer = await ask(target, options, context)
      // The library costs three times as much as the exchange, so it is used only after an actual redirect.
      return (
        answer ?? (await (await import('./lib/got.js')).follow('https', target, options, context, options))
      )
    } catch (error) {
      const answer = tlsAnswer(error)
      if (answer) return answer
      throw error
    }
  },
})

/** Performs one request over TLS. Returns null for a redirect that must be followed. */
function ask(target: Target, options: HttpOptions & TlsOptions, context: RunContext) {
  const peer = { ...destinationOf(target), name: hostName(options.virtualhost) }
  const request = requestBytes(target, options, 'https')
  return askOverTls(peer, options, context, socket => exchange(socket, request, options, context))
}
