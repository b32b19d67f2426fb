/**
 * Another machine that answers ARP or neighbour solicitations for a virtual address of this one: whom to ask where, and
 * when it counts. It takes clients past the director; with direct routing it is often a real server whose arp_ignore is
 * not set. It says nothing of health. Pure.
 */
import { type Address, bytesOf, isLinkLocal } from './address.js'
import type { OwnAddress } from './check-source.js'
import { idsOf } from './kernel-services.js'
import type { ResolvedConfig, ResolvedService } from './model.js'

/** A virtual address, with its services. */
export interface SharedAddress {
  readonly address: Address
  readonly services: readonly ResolvedService[]
}

/** Returns the distinct virtual addresses by their texts. The packets of firewall marks may have any address. */
export function sharedAddresses({
  services,
}: Pick<ResolvedConfig, 'services'>): ReadonlyMap<string, SharedAddress> {
  const found = new Map<string, { readonly address: Address; readonly services: ResolvedService[] }>()
  for (const service of services)
    for (const id of idsOf(service)) {
      if (id.kind !== 'address' || isLinkLocal(id.address)) continue
      const entry = found.get(id.address.text)
      if (!entry) found.set(id.address.text, { address: id.address, services: [service] })
      else if (entry.services.at(-1) !== service) entry.services.push(service)
    }
  return found
}

/** Returns the texts of the addresses of real servers, without zones. */
function realsOf(services: Iterable<ResolvedService>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { reals } of services)
    for (const { address } of reals) if (address) found.add(withoutZone(address.text))
  return found
}

// ---------------------------------------------------------------- whom to ask

/** An Ethernet interface that is up and resolves addresses. */
export interface EthernetLink {
  readonly index: number
  readonly name: string
  /** `02:00:00:00:00:99`. */
  readonly hardware: string
}

/** Who else has this address on the network of this interface? */
export interface AddressQuestion {
  readonly address: Address
  /** Index of the interface. */
  readonly link: number
}

export interface AddressAnswer extends AddressQuestion {
  /** Hardware address of the machine that answered. */
  readonly hardware: string
}

/**
 * Returns the questions about addresses that this machine has on an Ethernet interface: on each interface that has the
 * address, or another address whose prefix contains it. `links` are all Ethernet interfaces, `own` all addresses.
 *
 *   the address is on this machine              asked
 *   on an Ethernet interface                    yes
 *   on lo, a tunnel or no interface             no: another machine answers for it by right
 *   tentative, or refused as a duplicate (IPv6) no: this machine does not use it
 */
export function questionsAbout(
  addresses: Iterable<Address>,
  own: readonly OwnAddress[],
  links: ReadonlyMap<number, EthernetLink>,
): readonly AddressQuestion[] {
  const usable = own.filter(({ link, isTentative }) => links.has(link) && !isTentative)
  const networks = new Networks()
  for (const each of usable)
    if (each.scope === 'global' && each.prefix < bitsOf(each.address)) networks.add(each)
  const holders = new Map<string, Set<number>>()
  for (const { address, link } of usable)
    holders.set(address.text, (holders.get(address.text) ?? new Set()).add(link))
  return [...addresses].flatMap(address => {
    const holding = holders.get(address.text)
    if (!holding || isLinkLocal(address)) return []
    return [...new Set([...holding, ...networks.around(address)])].map(link => ({ address, link }))
  })
}

function bitsOf({ family }: Address): number {
  return family === 'ipv6' ? 128 : 32
}

/** The interfaces of networks. Thousands of addresses are often in one network, so each address is looked up. */
class Networks {
  readonly #links = new Map<string, Set<number>>()
  readonly #prefixes = { ipv4: new Set<number>(), ipv6: new Set<number>() }

  add({ address, prefix, link }: OwnAddress): void {
    this.#prefixes[address.family].add(prefix)
    const key = networkOf(bytesOf(address), prefix)
    this.#links.set(key, (this.#links.get(key) ?? new Set()).add(link))
  }

  /** Returns the interfaces with a network that contains the address. */
  around(address: Address): readonly number[] {
    const bytes = bytesOf(address)
    return [...this.#prefixes[address.family]].flatMap(prefix => [
      ...(this.#links.get(networkOf(bytes, prefix)) ?? []),
    ])
  }
}

/** Returns the first `prefix` bits, and their number, as a key. */
function networkOf(bytes: Uint8Array, prefix: number): string {
  const masked = bytes.map((byte, i) => byte & (0xff << (8 - Math.max(0, Math.min(8, prefix - i * 8)))))
  return `${masked.join('.')}/${prefix}`
}

// ---------------------------------------------------------------- who answered

/** An entry of the kernel's neighbour table. */
export interface KnownNeighbour {
  readonly address: Address
  /** `02:00:00:00:00:99`. */
  readonly hardware: string
}

/** A machine by its hardware address. */
export interface Answerer {
  /** The address of the real server that it is; null: it is none that is known. */
  readonly real: string | null
  /** An address that it has, as the neighbour table says; null: none is known. */
  readonly address: string | null
}

/** Names the machine with this hardware address that has answered for the address. */
export type AnswererOf = (hardware: string, of: SharedAddress) => Answerer

/**
 * Returns what names machines by the neighbour table. Real servers of the address come before those of others. A router
 * may answer for thousands of addresses, so what all names have in common is made once.
 */
export function answerers(neighbours: readonly KnownNeighbour[], all: Iterable<SharedAddress>): AnswererOf {
  const byHardware = new Map<string, Address[]>()
  for (const { hardware, address } of neighbours) {
    const its = byHardware.get(hardware)
    if (its) its.push(address)
    else byHardware.set(hardware, [address])
  }
  let ofAll: ReadonlySet<string> | null = null
  return (hardware, { address, services }) => {
    const its = (byHardware.get(hardware) ?? []).filter(({ text }) => text !== address.text)
    if (its.length === 0) return { real: null, address: null }
    ofAll ??= realsOf(new Set(Array.from(all, one => one.services).flat()))
    const among = (reals: ReadonlySet<string>) => its.find(({ text }) => reals.has(text))?.text
    const real = among(realsOf(services)) ?? among(ofAll) ?? null
    const other = its.find(one => !isLinkLocal(one)) ?? its[0]
    return { real, address: real ?? other?.text ?? null }
  }
}

/** An answer of another machine, with the name of the interface, and what is known of the machine. */
export interface NamedAnswer extends AddressAnswer {
  readonly interface: string
  readonly who: Answerer
}

/** One sentence for people: who answers, and what to do. */
export function conflictText({ address, hardware, interface: link, who }: Omit<NamedAnswer, 'link'>): string {
  const isIpv6 = address.family === 'ipv6'
  const question = isIpv6 ? 'neighbour solicitations' : 'ARP requests'
  const known = who.real === null && who.address !== null ? `${who.address}, ` : ''
  const name = who.real === null ? 'another machine' : `the real server ${who.real}`
  const remedy =
    who.real === null
      ? 'only one machine may hold the address'
      : isIpv6
        ? 'there the address must be on lo alone'
        : 'set net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 there, with the address on lo'
  return `${name} (${known}${hardware} on ${link}) answers ${question} for ${address.text}, so clients may go past this director: ${remedy}`
}

// ---------------------------------------------------------------- when it counts

/** A machine that has answered for a virtual address. */
export interface Conflict extends NamedAnswer {
  /** Milliseconds of the steady clock, of its first answer. */
  readonly since: number
  /** False until its second answer. */
  readonly isTold: boolean
  /** Rounds in a row without an answer. */
  readonly misses: number
}

/** What one round of questions brought. */
export interface AddressRound {
  /** Texts of the addresses that this machine has, and of those that were asked about. */
  readonly held: ReadonlySet<string>
  readonly asked: ReadonlySet<string>
  /** Those of other machines. */
  readonly answers: readonly NamedAnswer[]
  /** Milliseconds of the steady clock. */
  readonly at: number
}

/** Rounds in a row without an answer that end a conflict: an answer may be lost. */
export const MISSES_TO_END = 2
/** Machines for one address, and in all, that are remembered: one that makes up hardware addresses is bounded. */
const MOST_MACHINES = 8
const MOST_CONFLICTS = 1000

/**
 * Returns the conflicts after a round, those that began with it, and the addresses that have none any more.
 *
 *   known     this round                     becomes
 *   no        answer                         remembered, not told: at a takeover both machines may answer
 *   not told  answer                         told: it begins
 *   not told  no answer                      forgotten
 *   told      answer                         told
 *   told      no answer for the second time  forgotten
 *   any       not asked                      as before
 *   any       the address is not here now    forgotten
 */
export function afterRound(
  before: readonly Conflict[],
  round: AddressRound,
): {
  readonly conflicts: readonly Conflict[]
  readonly began: readonly Conflict[]
  readonly over: readonly string[]
} {
  const answers = new Map(round.answers.map(answer => [keyOf(answer), answer]))
  const known = new Set(before.map(keyOf))
  const kept = before.flatMap(conflict => after(conflict, answers.get(keyOf(conflict)), round))
  const counts = new Map<string, number>()
  for (const { address } of kept) counts.set(address.text, (counts.get(address.text) ?? 0) + 1)
  const fresh = [...answers.values()].flatMap(answer => {
    const count = counts.get(answer.address.text) ?? 0
    if (known.has(keyOf(answer)) || !round.held.has(answer.address.text) || count >= MOST_MACHINES) return []
    counts.set(answer.address.text, count + 1)
    return [{ ...answer, since: round.at, isTold: false, misses: 0 }]
  })
  const conflicts = [...kept, ...fresh].slice(0, MOST_CONFLICTS)
  const toldBefore = new Set(before.filter(({ isTold }) => isTold).map(keyOf))
  const told = conflicts.filter(({ isTold }) => isTold)
  const stays = new Set(told.map(({ address }) => address.text))
  return {
    conflicts,
    began: told.filter(conflict => !toldBefore.has(keyOf(conflict))),
    over: [...new Set(before.filter(({ isTold }) => isTold).map(({ address }) => address.text))].filter(
      text => !stays.has(text),
    ),
  }
}

function after(
  conflict: Conflict,
  answer: NamedAnswer | undefined,
  { held, asked }: AddressRound,
): readonly Conflict[] {
  const { text } = conflict.address
  if (!held.has(text)) return []
  if (answer) return [{ ...conflict, ...answer, isTold: true, misses: 0 }]
  if (!asked.has(text)) return [conflict]
  const misses = conflict.misses + 1
  return conflict.isTold && misses < MISSES_TO_END ? [{ ...conflict, misses }] : []
}

/** One machine counts once for an address, whatever the interface that it answers on. */
function keyOf({ address, hardware }: AddressAnswer): string {
  return `${address.text} ${hardware}`
}

function withoutZone(text: string): string {
  return text.split('%')[0] ?? text
}
