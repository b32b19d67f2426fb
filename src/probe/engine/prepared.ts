/** Probes for epoll: what all runs of a probe share, with its addresses and bytes in memory that does not move. */
import type { Address, Family } from '../../core/address.js'
import type { Phase } from '../../core/model.js'
import { type FixedMemory, fixedMemory } from '../../system/numeric-calls.js'
import { socketAddress } from '../../system/sockets.js'
import type { IcmpProbe } from '../icmp.js'
import { compileJudge } from '../matcher.js'
import type { ResponseParser } from '../response-parser.js'
import type { PreparedProbe } from '../start-probe.js'
import { canBeOwnEcho, type TcpProbe } from '../tcp.js'
import type { UdpProbe } from '../udp.js'
import { type LocalPorts, localPortsTo } from './local-ports.js'
import { Recall } from './recall.js'

/** What each run reads is here, because V8 reads the properties of copies made by a spread several times more slowly. */
export interface NativeTcp {
  readonly probe: TcpProbe
  readonly kind: 'tcp'
  readonly family: Family
  readonly end: boolean
  readonly reset: boolean
  /** True if the connection itself is the answer. */
  readonly isConnect: boolean
  /** True if the run has to ask whether the socket is connected to itself. */
  readonly canBeOwnEcho: boolean
  readonly judge: CompiledJudge
  readonly to: FixedMemory
  readonly from: FixedMemory | null
  /** The firewall mark of its packets; 0: none. */
  readonly mark: number
  /** The local ports of a probe with a mark; null: the kernel chooses. */
  readonly ports: LocalPorts | null
  /** Null: nothing to send. */
  readonly data: FixedMemory | null
}

export interface NativeUdp {
  readonly probe: UdpProbe
  readonly kind: 'udp'
  readonly family: Family
  readonly hear: (() => ResponseParser) | null
  readonly to: FixedMemory
  readonly from: FixedMemory | null
  /** The firewall mark of its packets; 0: none. */
  readonly mark: number
  /** The local ports of a probe with a mark; null: the kernel chooses. */
  readonly ports: LocalPorts | null
  readonly data: FixedMemory
}

export interface NativeIcmp {
  readonly kind: 'icmp'
  readonly probe: IcmpProbe
}

export type NativeProbe = NativeTcp | NativeUdp | NativeIcmp

type Judged = (TcpProbe | UdpProbe)['judge']

/** What all probes with an equal judge share. */
export interface CompiledJudge {
  /** Returns a parser for one run. */
  readonly hear: () => ResponseParser
  /** The phase of a parser that has heard nothing. */
  readonly first: Phase
  readonly recall: Recall
}

/** Compiled judges by their data: many probes have equal ones. Bounded by the number of different judges. */
const judges = new Map<string, CompiledJudge>()
const MOST_JUDGES = 10_000

function judgeOf(judge: NonNullable<Judged>): CompiledJudge {
  const key = JSON.stringify(judge)
  let compiled = judges.get(key)
  if (!compiled) {
    const hear = compileJudge(judge)
    compiled = { hear, first: hear().phase, recall: new Recall() }
    if (judges.size >= MOST_JUDGES) judges.clear()
    judges.set(key, compiled)
  }
  return compiled
}

/** Returns the probe for epoll, with the source that the kernel chooses. The bytes to send are kept once. */
export function prepareNative(given: TcpProbe | UdpProbe | IcmpProbe): NativeProbe {
  if (given.kind === 'icmp') return { kind: 'icmp', probe: { ...given, source: null } }
  const to = socketAddress(given.address, given.port)
  const data = bytesOf(given.send)
  const probe = { ...given, send: NOTHING, source: null }
  if (probe.kind === 'tcp') return nativeTcp(probe, to, null, data.bytes.length > 0 ? data : null)
  return nativeUdp(probe, to, null, data)
}

/** Returns the same probe with another source, and with its address as the interfaces are now. */
export function nativeFrom(prepared: NativeProbe, source: Address | null): NativeProbe {
  if (prepared.kind === 'icmp') return { kind: 'icmp', probe: { ...prepared.probe, source } }
  const { address, port } = prepared.probe
  const [to, from] = [socketAddress(address, port), sourceOf(source)]
  if (prepared.kind === 'tcp') return nativeTcp(prepared.probe, to, from, prepared.data)
  return nativeUdp(prepared.probe, to, from, prepared.data)
}

type From = FixedMemory | null

function nativeTcp(probe: TcpProbe, to: FixedMemory, from: From, data: FixedMemory | null): NativeTcp {
  const { end, reset, judge } = probe
  return {
    kind: 'tcp',
    probe,
    family: probe.address.family,
    end,
    reset,
    isConnect: judge.kind === 'connected',
    canBeOwnEcho: canBeOwnEcho(probe),
    judge: judgeOf(judge),
    to,
    from,
    mark: probe.mark ?? 0,
    ports: probe.mark ? localPortsTo(to) : null,
    data,
  }
}

function nativeUdp(probe: UdpProbe, to: FixedMemory, from: From, data: FixedMemory): NativeUdp {
  const { judge, mark = 0 } = probe
  const hear = judge && judgeOf(judge).hear
  const ports = mark ? localPortsTo(to) : null
  return { kind: 'udp', probe, family: probe.address.family, hear, to, from, mark, ports, data }
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
