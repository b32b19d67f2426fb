import { defineCheck } from '../src/check/check.js'

/** Sends ICMPv6 or ICMP echo requests; one reply suffices. Does not start a program. */
export const check = defineCheck({
  name: 'ping',
  summary: 'sends ICMPv6 or ICMP echo requests',
  connects: false,
  testsHost: true,

  options: kit => ({
    count: kit.number(3, 'Requests sent, spread evenly over the timeout; one answer is enough', {
      min: 1,
      max: 20,
    }),
    size: kit.number(56, 'Bytes of data in each request', { min: 16, max: 8192 }),
  }),

  probe: ({ address }, { count, size }) => ({ kind: 'icmp', address, size, count }),
})
