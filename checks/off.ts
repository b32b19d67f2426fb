import { defineCheck, down } from '../src/check/check.js'

/** Always down without a check, as in ldirectord's `checktype = off`. */
export const check = defineCheck({
  name: 'off',
  summary: 'always down, without looking',
  connects: false,
  options: () => ({}),
  probe: () => ({ kind: 'fixed', answer: down('off', 'set to off') }),
})
