import { defineCheck } from '../src/check.js'
import { httpOptions, httpProbe, httpProblem } from './_http.js'

/** Asks a web server for a page, on a connection of its own. */
export const check = defineCheck({
  name: 'http',
  summary: 'asks a web server for a page; judges status and body',
  defaultPort: 80,

  options: kit => httpOptions(kit),
  validate: options => httpProblem(options),

  probe: (target, options) => (options.redirects === 0 ? httpProbe(target, options) : null),

  async run(target, options, context) {
    const { follow } = await import('./_got.js')
    return follow('http', target, options, context)
  },
})
