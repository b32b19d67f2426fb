import { defineCheck, up } from '../src/check/check.js'

/** For services with external health monitoring, as in ldirectord's `service = none`. */
export const check = defineCheck({
  name: 'none',
  summary: 'no check: the real server counts as up',
  connects: false,
  options: () => ({}),
  probe: () => ({ kind: 'fixed', answer: up('not checked') }),
})
