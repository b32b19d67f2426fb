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
  readonly kind: 'tcp'
  readonly family: Family
  readonly address: Address
  readonly port: number
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

/** A probe that epoll can run. */
export type EpollProbe = TcpProbe | UdpProbe | IcmpProbe

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

/** Jobs of one message that have the same judge have the same object. */
let last: { readonly judge: NonNullable<Judged>; readonly compiled: CompiledJudge } | null = null

function judgeOf(judge: NonNullable<Judged>): CompiledJudge {
  if (last?.judge !== judge) last = { judge, compiled: compiledOnce(judge) }
  return last.compiled
}

function compiledOnce(judge: NonNullable<Judged>): CompiledJudge {
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
export function prepareNative(given: EpollProbe): NativeProbe {
  if (given.kind === 'icmp') return { kind: 'icmp', probe: { ...given, source: null } }
  const to = socketAddress(given.address, given.port)
  const data = bytesOf(given.send)
  if (given.kind === 'tcp') return nativeTcp(given, to, data.bytes.length > 0 ? data : null)
  return nativeUdp({ ...given, send: NOTHING, source: null }, to, null, data)
}

/** Returns the same probe with another source, and with its address as the interfaces are now. */
export function nativeFrom(prepared: NativeProbe, source: Address | null): NativeProbe {
  if (prepared.kind === 'icmp') return { kind: 'icmp', probe: { ...prepared.probe, source } }
  const { address, port } = prepared.kind === 'tcp' ? prepared : prepared.probe
  const [to, from] = [socketAddress(address, port), sourceOf(source)]
  if (prepared.kind === 'udp') return nativeUdp(prepared.probe, to, from, prepared.data)
  return placed(prepared, prepared.judge, to, from)
}

type From = FixedMemory | null

type TcpPlan = Pick<
  NativeTcp,
  'address' | 'port' | 'end' | 'reset' | 'isConnect' | 'canBeOwnEcho' | 'data'
> & {
  readonly mark?: number | undefined
}

/** Keeps nothing of the probe but what runs read: an engine has thousands. */
function nativeTcp(probe: TcpProbe, to: FixedMemory, data: FixedMemory | null): NativeTcp {
  const { address, port, end, reset, judge, mark } = probe
  const isConnect = judge.kind === 'connected'
  const plan = { address, port, end, reset, isConnect, canBeOwnEcho: canBeOwnEcho(probe), mark, data }
  return placed(plan, judgeOf(judge), to, null)
}

function placed(plan: TcpPlan, judge: CompiledJudge, to: FixedMemory, from: From): NativeTcp {
  const { address, port, end, reset, isConnect, canBeOwnEcho, mark = 0, data } = plan
  return {
    kind: 'tcp',
    family: address.family,
    address,
    port,
    end,
    reset,
    isConnect,
    canBeOwnEcho,
    judge,
    to,
    from,
    mark,
    ports: mark ? localPortsTo(to) : null,
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

export function isNative(probe: PreparedProbe['probe']): probe is EpollProbe {
  return probe.kind !== 'fixed'
}
