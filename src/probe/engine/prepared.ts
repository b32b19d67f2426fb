/** Probes for epoll: what all runs of a probe share, with its addresses and bytes in memory that does not move. */
import type { Address } from '../../core/address.js'
import { type FixedMemory, fixedMemory } from '../../system/numeric-calls.js'
import { socketAddress } from '../../system/sockets.js'
import type { IcmpProbe } from '../icmp.js'
import { compileJudge } from '../matcher.js'
import type { ResponseParser } from '../response-parser.js'
import type { PreparedProbe } from '../start-probe.js'
import type { TcpProbe } from '../tcp.js'
import type { UdpProbe } from '../udp.js'

export interface NativeTcp {
  readonly probe: TcpProbe
  readonly hear: () => ResponseParser
  readonly to: FixedMemory
  readonly from: FixedMemory | null
  /** Null: nothing to send. */
  readonly data: FixedMemory | null
}

export interface NativeUdp {
  readonly probe: UdpProbe
  readonly hear: (() => ResponseParser) | null
  readonly to: FixedMemory
  readonly from: FixedMemory | null
  readonly data: FixedMemory
}

export interface NativeIcmp {
  readonly probe: IcmpProbe
}

export type NativeProbe = NativeTcp | NativeUdp | NativeIcmp

type Judged = (TcpProbe | UdpProbe)['judge']

/** Compiled judges by their data: many probes have equal ones. Bounded by the number of different judges. */
const judges = new Map<string, () => ResponseParser>()
const MOST_JUDGES = 10_000

function judgeOf(judge: NonNullable<Judged>): () => ResponseParser {
  const key = JSON.stringify(judge)
  let hear = judges.get(key)
  if (!hear) {
    hear = compileJudge(judge)
    if (judges.size >= MOST_JUDGES) judges.clear()
    judges.set(key, hear)
  }
  return hear
}

/** Returns the probe for epoll, with the source that the kernel chooses. The bytes to send are kept once. */
export function prepareNative(given: TcpProbe | UdpProbe | IcmpProbe): NativeProbe {
  if (given.kind === 'icmp') return { probe: { ...given, source: null } }
  const to = socketAddress(given.address, given.port)
  const data = bytesOf(given.send)
  const probe = { ...given, send: NOTHING, source: null }
  if (probe.kind === 'tcp')
    return { probe, hear: judgeOf(probe.judge), to, from: null, data: data.bytes.length > 0 ? data : null }
  return { probe, hear: probe.judge && judgeOf(probe.judge), to, from: null, data }
}

/** Returns the same probe with another source, and with its address as the interfaces are now. */
export function nativeFrom(prepared: NativeProbe, source: Address | null): NativeProbe {
  if (!('to' in prepared)) return { probe: { ...prepared.probe, source } }
  const { address, port } = prepared.probe
  return { ...prepared, to: socketAddress(address, port), from: sourceOf(source) }
}

const NOTHING = new Uint8Array()

function sourceOf(source: Address | null | undefined): FixedMemory | null {
  return source ? socketAddress(source, 0) : null
}

function bytesOf(send: Uint8Array): FixedMemory {
  const memory = fixedMemory(send.length)
  memory.bytes.set(send)
  return memory
}

export function isNative(probe: PreparedProbe['probe']): probe is TcpProbe | UdpProbe | IcmpProbe {
  return probe.kind !== 'fixed'
}
