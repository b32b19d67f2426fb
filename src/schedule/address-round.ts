/** One round of questions, on the links of this machine, about who else has its virtual addresses. */
import { type Address, isLinkLocal } from '../core/address.js'
import {
  type AddressAnswer,
  type AnswererOf,
  answerers,
  type NamedAnswer,
  questionsAbout,
  type SharedAddress,
} from '../core/address-conflict.js'
import type { OwnAddress } from '../core/check-source.js'
import type { HardwareLink, LinkLayer } from '../netlink/link-layer.js'
import type { Paths } from '../netlink/paths.js'
import { type AskedAddresses, type AskingLink, askAddresses } from '../probe/ask-addresses.js'
import type { Clock } from '../util/clock.js'

export interface AddressRoundParts {
  /** The virtual addresses to ask about, by their texts, and all of them. */
  readonly about: ReadonlyMap<string, SharedAddress>
  readonly all: ReadonlyMap<string, SharedAddress>
  readonly paths: Pick<Paths, 'addresses'>
  readonly linkLayer: Pick<LinkLayer, 'links' | 'neighbours'>
  readonly clock: Pick<Clock, 'alarm'>
  readonly signal?: AbortSignal
  readonly ask?: typeof askAddresses
}

export interface AddressRoundResult {
  /** Texts of those addresses that this machine has where it can ask, and of those that were asked about. */
  readonly held: ReadonlySet<string>
  readonly asked: ReadonlySet<string>
  readonly answers: readonly NamedAnswer[]
  readonly refusal: AskedAddresses['refusal']
}

/** Asks once. Throws an error of netlink, or an Error where the machine has no such calls. */
export async function askRound(parts: AddressRoundParts): Promise<AddressRoundResult> {
  const { about, paths, linkLayer, ask = askAddresses, clock, signal } = parts
  const own = paths.addresses()
  const all = linkLayer.links()
  const links = askingLinks(all, own)
  const questions = questionsAbout(
    [...about.values()].map(({ address }) => address),
    own,
    links,
  )
  const held = textsOf(questions)
  if (questions.length === 0) return { held, asked: held, answers: [], refusal: null }
  const { answers, asked, refusal } = await ask({ questions, links, clock, ...(signal && { signal }) })
  // Another interface of this machine on the same network answers too, as may a macvlan of keepalived.
  const ownHardware = new Set(all.map(({ hardware }) => hardware))
  const others = answers.filter(({ hardware }) => !ownHardware.has(hardware))
  const nameOf = answerers(others.length > 0 ? linkLayer.neighbours() : [], parts.all.values())
  return {
    held,
    asked: textsOf(asked),
    answers: others.flatMap(answer => named(answer, about, links, nameOf)),
    refusal,
  }
}

function askingLinks(
  all: readonly HardwareLink[],
  own: readonly OwnAddress[],
): ReadonlyMap<number, AskingLink> {
  const sources = new Map<number, Address>()
  for (const { address, link, isTentative } of own)
    if (isLinkLocal(address) && !isTentative && !sources.has(link)) sources.set(link, address)
  return new Map(
    all
      .filter(({ isEthernet }) => isEthernet)
      .map(({ index, name, hardware }) => [
        index,
        { index, name, hardware, source: sources.get(index) ?? null },
      ]),
  )
}

function named(
  answer: AddressAnswer,
  about: AddressRoundParts['about'],
  links: ReadonlyMap<number, AskingLink>,
  nameOf: AnswererOf,
): readonly NamedAnswer[] {
  const shared = about.get(answer.address.text)
  if (!shared) return []
  const who = nameOf(answer.hardware, shared)
  return [{ ...answer, interface: links.get(answer.link)?.name ?? String(answer.link), who }]
}

function textsOf(questions: readonly { readonly address: Address }[]): ReadonlySet<string> {
  return new Set(questions.map(({ address }) => address.text))
}
