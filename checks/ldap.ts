import { defineCheck } from '../src/check/check.js'
import { askLdap, ldapExpectation, ldapOptions, ldapProblem } from './lib/ldap.js'
import { encryptionOf, encryptionOptions, encryptionProblem } from './lib/login.js'

/** Binds to an LDAP server and reads one entry. */
export const check = defineCheck({
  name: 'ldap',
  summary: 'binds to an LDAP server and reads one entry; can ask for TLS',
  defaultPort: 389,

  options: kit => ({ ...ldapOptions(kit), ...encryptionOptions(kit) }),
  validate: options => ldapProblem(options) ?? encryptionProblem(options),
  expects: options => ldapExpectation(options),

  takesPath: () => true,
  run: (target, options, context) => askLdap(target, encryptionOf(options), options, context),
})
