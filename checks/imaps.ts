import { defineCheck } from '../src/check/check.js'
import { askImap } from './lib/imap.js'
import { loginOptions, loginProblem } from './lib/login.js'
import { tlsOptions, tlsProblem } from './lib/tls.js'

/** Reads the greeting of an IMAP server over TLS, and logs in if configured. */
export const check = defineCheck({
  name: 'imaps',
  summary: 'reads the greeting of an IMAP server over TLS; can log in',
  defaultPort: 993,

  options: kit => ({ ...loginOptions(kit, 'without one the greeting is enough'), ...tlsOptions(kit) }),
  validate: options => loginProblem(options) ?? tlsProblem(options),

  takesPath: () => true,
  run: (target, options, context) => askImap(target, context, options, { tls: options, starttls: null }),
})
