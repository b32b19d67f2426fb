import { defineCheck } from '../src/check/check.js'

/** Opens and closes a TCP connection. It proves that something listens, not that it works. */
export const check = defineCheck({
  name: 'connect',
  summary: 'opens a TCP connection',
  connects: false,
  overTcp: () => true,

  options: kit => ({
    reset: kit.flag(
      false,
      'End the connection with a reset: leaves no TIME_WAIT behind, but some servers log it',
    ),
  }),

  probe: ({ address, port }, { reset }) => ({
    kind: 'tcp',
    address,
    port,
    send: new Uint8Array(),
    end: false,
    reset,
    judge: { kind: 'connected' },
  }),
})
