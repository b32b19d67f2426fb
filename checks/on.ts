import { defineCheck, up } from '../src/check/check.js'

/** Always up without a check, as in ldirectord's `checktype = on`. */
export const check = defineCheck({
  name: 'on',
  summary: 'always up, without looking',
  connects: false,
  options: () => ({}),
  probe: () => ({ kind: 'fixed', answer: up('set to on') }),
})
