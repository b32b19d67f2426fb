import { defineCheck } from '../src/check/check.js'
import { askLdap, ldapExpectation, ldapOptions, ldapProblem } from './lib/ldap.js'
import { tlsOptions, tlsProblem } from './lib/tls.js'

/** Binds to an LDAP server over TLS and reads one entry. */
export const check = defineCheck({
  name: 'ldaps',
  summary: 'binds to an LDAP server over TLS and reads one entry',
  defaultPort: 636,

  options: kit => ({ ...ldapOptions(kit), ...tlsOptions(kit) }),
  validate: options => ldapProblem(options) ?? tlsProblem(options),
  expects: options => ldapExpectation(options),

  takesPath: () => true,
  run: (target, options, context) => askLdap(target, { tls: options, starttls: null }, options, context),
})
