import { defineCheck } from '../src/check/check.js'
import { loginOptions, loginProblem } from './lib/login.js'
import { askPop } from './lib/pop.js'
import { tlsOptions, tlsProblem } from './lib/tls.js'

/** Reads the greeting of a POP3 server over TLS, and logs in if configured. */
export const check = defineCheck({
  name: 'pops',
  summary: 'reads the greeting of a POP3 server over TLS; can log in',
  defaultPort: 995,

  options: kit => ({ ...loginOptions(kit, 'without one the greeting is enough'), ...tlsOptions(kit) }),
  validate: options => loginProblem(options) ?? tlsProblem(options),

  takesPath: () => true,
  run: (target, options, context) => askPop(target, context, options, { tls: options, starttls: null }),
})
