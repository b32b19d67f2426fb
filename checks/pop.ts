import { defineCheck } from '../src/check/check.js'
import {
  encryptionOf,
  encryptionOptions,
  encryptionProblem,
  loginOptions,
  loginProblem,
} from './lib/login.js'
import { askPop } from './lib/pop.js'

/** Reads the greeting of a POP3 server, and logs in if configured. */
export const check = defineCheck({
  name: 'pop',
  summary: 'reads the greeting of a POP3 server; can ask for TLS and log in',
  defaultPort: 110,

  options: kit => ({
    ...loginOptions(kit, 'without one the greeting is enough'),
    ...encryptionOptions(kit),
  }),
  validate: options => loginProblem(options) ?? encryptionProblem(options),

  takesPath: () => true,
  run: (target, options, context) => askPop(target, context, options, encryptionOf(options)),
})
