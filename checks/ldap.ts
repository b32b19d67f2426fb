import { defineCheck } from '../src/check.js'
import { askLdap, ldapOptions, ldapProblem } from './_ldap.js'

/** Binds to an LDAP server and reads one entry. */
export const check = defineCheck({
  name: 'ldap',
  summary: 'binds to an LDAP server and reads one entry',
  defaultPort: 389,

  options: kit => ldapOptions(kit),
  validate: options => ldapProblem(options),

  run: (target, options, context) => askLdap(target, null, options, context),
})
