import { defineCheck } from '../src/check/check.js'
import { askImap } from './lib/imap.js'
import {
  encryptionOf,
  encryptionOptions,
  encryptionProblem,
  loginOptions,
  loginProblem,
} from './lib/login.js'

/** Reads the greeting of an IMAP server, and logs in if configured. */
export const check = defineCheck({
  name: 'imap',
  summary: 'reads the greeting of an IMAP server; can ask for TLS and log in',
  defaultPort: 143,

  options: kit => ({
    ...loginOptions(kit, 'without one the greeting is enough'),
    ...encryptionOptions(kit),
  }),
  validate: options => loginProblem(options) ?? encryptionProblem(options),

  takesPath: () => true,
  run: (target, options, context) => askImap(target, context, options, encryptionOf(options)),
})
