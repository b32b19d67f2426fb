/**
 * The role by VRRP: whether a virtual address is on this machine, and what keepalived says. The address is the base,
 * because it decides which machine the clients' packets reach; a word of keepalived may be lost, late or left over. Pure.
 */
import type { Role } from './role.js'

export const VRRP_STATES = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED'] as const
export type VrrpState = (typeof VRRP_STATES)[number]

/** What keepalived says about an instance or a group. */
export interface VrrpWord {
  readonly kind: 'INSTANCE' | 'GROUP'
  readonly name: string
  readonly state: VrrpState
  /** That of the instance; 0 for a group. */
  readonly priority: number
}

/**
 * How a word came.
 *   fifo      by keepalived's notify_fifo, in order
 *   command   by `lvsd role-notify`, which keepalived runs without waiting for the one before
 *   memory    from before this run of lvsd: stored, or left in the FIFO
 */
export type WordWay = 'fifo' | 'command' | 'memory'

export interface HeardWord extends VrrpWord {
  readonly way: WordWay
  /** Counts what has been heard and seen: the later has the greater one. */
  readonly order: number
  /** Of a command: when it began, in milliseconds of the machine's monotonic clock; else null. */
  readonly began: number | null
}

/** An address of this machine, as far as it concerns the role. */
export interface PlacedAddress {
  readonly text: string
  /** Name of its interface. */
  readonly link: string
  /** Duplicate address detection has not ended, or has found another machine with the address. */
  readonly flaw: 'tentative' | 'duplicate' | null
}

/** The virtual addresses on this machine. */
export interface Sight {
  readonly state: 'here' | 'tentative' | 'duplicate' | 'absent'
  /** The one that decides; the first of the wanted ones if none is here. */
  readonly text: string
  /** Name of its interface; null if it is absent. */
  readonly link: string | null
  /** Number of wanted addresses that are here, and of all. */
  readonly found: number
  readonly wanted: number
  readonly order: number
}

export interface VrrpJudgement {
  readonly role: Role
  /** For people. */
  readonly reason: string
  /** What does not go together, for people; null if all does. It may be over in a moment. */
  readonly doubt: string | null
}

/**
 * Sums up the wanted addresses. One that is here is enough, because packets for it arrive here. On lo an address does
 * not count unless `link` names lo: a real server under direct routing has it there.
 */
export function sightOf(
  wanted: readonly string[],
  own: readonly PlacedAddress[],
  { link, order }: { readonly link: string | null; readonly order: number },
): Sight {
  const all = new Set(wanted)
  const placed = own.filter(
    each => all.has(each.text) && (link === null ? each.link !== 'lo' : each.link === link),
  )
  const good = placed.filter(({ flaw }) => flaw === null)
  const best = good[0] ?? placed.find(({ flaw }) => flaw === 'tentative') ?? placed[0]
  return {
    state: best ? (best.flaw ?? 'here') : 'absent',
    text: best?.text ?? wanted[0] ?? '',
    link: best?.link ?? null,
    found: new Set(good.map(({ text }) => text)).size,
    wanted: all.size,
    order,
  }
}

/**
 * Returns the word that counts from now on.
 *
 *   known     next                       counts
 *   none      any                        next
 *   fifo      command                    known: the FIFO tells the same in the right order
 *   command   command that began before  known: the scripts of keepalived overtake each other
 *   any       memory                     known
 *   any       any other                  next
 */
export function laterWord(known: HeardWord | null, next: HeardWord): HeardWord {
  if (!known) return next
  if (next.way === 'memory') return known
  if (next.way === 'command' && known.way === 'fifo') return known
  const isOvertaken = next.began !== null && known.began !== null && next.began < known.began
  return isOvertaken ? known : next
}

/**
 *   address                word                                            role      doubt
 *   not asked for          none                                            null
 *   not asked for          MASTER                                          active
 *   not asked for          any other                                       standby
 *   here                   none, MASTER                                    active
 *   here                   any other, by the FIFO, after the address came  standby   yes
 *   here                   any other, earlier or by another way            active    yes
 *   absent                 none, any but MASTER                            standby
 *   absent                 MASTER by the FIFO, after the address went      active    yes
 *   absent                 MASTER, earlier or by another way               standby   yes
 *   tentative, duplicate   any                                             standby   yes
 */
export function judgeVrrp(sight: Sight | null, word: HeardWord | null): VrrpJudgement | null {
  if (!sight) return word && { role: roleOfState(word.state), reason: `${said(word)}`, doubt: null }
  const { state, text } = sight
  if (state === 'tentative' || state === 'duplicate')
    return { role: 'standby', reason: placeOf(sight), doubt: FLAWS[state](text) }
  const seen: Role = state === 'here' ? 'active' : 'standby'
  const told = word && roleOfState(word.state)
  if (!word || told === null || told === seen) {
    const isPart = state === 'here' && sight.found < sight.wanted
    return {
      role: seen,
      reason: word ? `${placeOf(sight)}, and ${said(word)}` : placeOf(sight),
      doubt: isPart ? `only ${sight.found} of ${sight.wanted} virtual addresses are on this machine` : null,
    }
  }
  const isWord = word.way === 'fifo' && word.order > sight.order
  return {
    role: isWord ? told : seen,
    reason: isWord ? said(word) : placeOf(sight),
    doubt: `${placeOf(sight)}, but ${said(word)}`,
  }
}

/** Everything but MASTER is standby. */
export function roleOfState(state: VrrpState): Role {
  return state === 'MASTER' ? 'active' : 'standby'
}

const FLAWS = {
  tentative: (text: string) =>
    `${text} is tentative: the kernel does not answer for it yet; lvsd doctor says what to do`,
  duplicate: (text: string) =>
    `${text} is refused by the kernel, because another machine has it (dadfailed); lvsd doctor says what to do`,
}

function placeOf({ state, text, link, wanted }: Sight): string {
  if (state === 'here') return `${text} is on ${link}`
  if (state !== 'absent') return `${text} is on ${link}, but not usable`
  return wanted > 1
    ? `none of ${wanted} virtual addresses is on this machine`
    : `${text} is not on this machine`
}

function said({ kind, name, state, way }: HeardWord): string {
  const when = way === 'memory' ? 'said last' : 'says'
  return `VRRP ${kind.toLowerCase()} ${name} ${when} ${state}`
}

// ---------------------------------------------------------------- lines of the FIFO

/** Maximum length of the name of an instance. */
export const LONGEST_NAME = 128

const LINE = /^(INSTANCE|GROUP) "([^"\p{Cc}]{1,128})" ([A-Z_]{1,32})(?: (-?\d{1,5}))?$/u
/** Lines of keepalived that tell no state: changed priorities, and lower ones of others. */
const NO_STATE = /_PRI(ORITY)?$/

/** Reads a line of keepalived's notify_fifo. Null: it tells no state. Undefined: it is no line of keepalived. */
export function readVrrpLine(line: string): VrrpWord | null | undefined {
  const [, kind, name = '', word = '', priority = '0'] = LINE.exec(line) ?? []
  if (kind === undefined) return undefined
  const state = VRRP_STATES.find(each => each === word)
  if (!state) return NO_STATE.test(word) ? null : undefined
  return { kind: kind as VrrpWord['kind'], name, state, priority: Number(priority) }
}

/** Splits what is read into lines. A line longer than `longest` bytes is left out, so that nothing grows without bound. */
export class BoundedLines {
  readonly #longest: number
  #begun = Buffer.alloc(0)
  #isTooLong = false

  constructor(longest: number) {
    this.#longest = longest
  }

  /** Returns the complete lines; null for one that is too long. */
  push(data: Buffer): (string | null)[] {
    const lines: (string | null)[] = []
    let start = 0
    for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
      this.#add(data.subarray(start, end))
      lines.push(this.#isTooLong ? null : this.#begun.toString('utf8'))
      this.clear()
      start = end + 1
    }
    this.#add(data.subarray(start))
    return lines
  }

  /** Forgets a line that has begun. */
  clear(): void {
    this.#begun = Buffer.alloc(0)
    this.#isTooLong = false
  }

  #add(part: Buffer): void {
    if (this.#isTooLong || part.length === 0) return
    this.#isTooLong = this.#begun.length + part.length > this.#longest
    // A copy, because the data belongs to a larger buffer.
    this.#begun = this.#isTooLong ? Buffer.alloc(0) : Buffer.concat([this.#begun, part])
  }
}
