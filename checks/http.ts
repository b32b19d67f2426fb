import { once } from 'node:events'
import { defineCheck, type RunContext, type Target } from '../src/check/check.js'
import { connectTo, destinationOf } from './lib/destination.js'
import { type HttpOptions, httpOptions, httpProbe, httpProblem, requestBytes } from './lib/http.js'
import { exchange } from './lib/response.js'

/** Requests a page from a web server on a new connection. */
export const check = defineCheck({
  name: 'http',
  summary: 'requests a page from a web server; checks status and body',
  defaultPort: 80,
  scheme: 'http',

  options: kit => httpOptions(kit),
  validate: options => httpProblem(options),

  probe: httpProbe,

  // A redirect is another connection, maybe to another host.
  takesPath: ({ redirects }) => redirects === 0 || 'redirects',
  async run(target, options, context) {
    const answer = await ask(target, options, context)
    // The library costs many times as much as the exchange, so it is used only after an actual redirect.
    return answer ?? (await (await import('./lib/got.js')).follow('http', target, options, context))
  },
})

/** Performs one request. Returns null for a redirect that must be followed. */
async function ask(target: Target, options: HttpOptions, context: RunContext) {
  context.phase('connect')
  const socket = connectTo(destinationOf(target), { signal: context.signal })
  try {
    await once(socket, 'connect')
    return await exchange(socket, requestBytes(target, options, 'http'), options, context)
  } finally {
    socket.destroy()
  }
}
