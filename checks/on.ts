import { defineCheck, up } from '../src/check/check.js'

/** Up without looking, as ldirectord's `checktype = on`. */
export const check = defineCheck({
  name: 'on',
  summary: 'always up, without looking',
  connects: false,
  options: () => ({}),
  probe: () => ({ kind: 'fixed', answer: up('set to on') }),
})
