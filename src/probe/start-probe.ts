/** Starts a probe of any kind on Node's own sockets. */
import { type Flight, fly, type Start } from '../flight.js'
import type { CheckResult } from '../model.js'
import { type PreparedIcmp, startIcmp } from './icmp.js'
import type { Probe } from './probe.js'
import { type PreparedTcp, prepareTcp, startTcp } from './tcp.js'
import { type PreparedUdp, prepareUdp, startUdp } from './udp.js'

/** A probe and what can be worked out once for all its runs. */
export type PreparedProbe = PreparedTcp | PreparedUdp | PreparedIcmp

export function prepareProbe(probe: Probe): PreparedProbe {
  switch (probe.kind) {
    case 'tcp':
      return prepareTcp(probe)
    case 'udp':
      return prepareUdp(probe)
    case 'icmp':
      return { probe }
  }
}

export const startProbe: Start<PreparedProbe> = (prepared, timeout, done, traced = false): Flight => {
  switch (prepared.probe.kind) {
    case 'tcp':
      return startTcp(prepared as PreparedTcp, done, traced)
    case 'udp':
      return startUdp(prepared as PreparedUdp, timeout, done, traced)
    case 'icmp':
      return startIcmp(prepared as PreparedIcmp, timeout, done, traced)
  }
}

/** Runs a probe once, now, with its phases timed: for `lvsd probe` and for tests. Never rejects. */
export function runProbe(probe: Probe, timeout: number): Promise<CheckResult> {
  return fly(startProbe, prepareProbe(probe), timeout)
}
