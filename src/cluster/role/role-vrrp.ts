/**
 * The role by VRRP (core/vrrp-role.ts): the kernel reports when the virtual address comes and goes, and keepalived says
 * its states over a FIFO or by a command. All addresses are read again after a report, so a lost one costs nothing.
 */
import type { RoleSettings } from '../../config/schema/model-keys.js'
import {
  type HeardWord,
  judgeVrrp,
  laterWord,
  type PlacedAddress,
  type Sight,
  sightOf,
  type VrrpWord,
  type WordWay,
} from '../../core/vrrp-role.js'
import { openAddressEvents } from '../../netlink/address-events.js'
import type { EventSocket } from '../../netlink/event-socket.js'
import { openPaths, type Paths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'
import type { Log } from '../../system/log.js'
import { type Clock, systemClock } from '../../util/clock.js'
import { NotifyFifo } from './notify-fifo.js'
import type { RoleReport, RoleSource } from './role-source.js'

/** The kernel as it tells addresses; replaced in tests. */
export interface AddressKernel {
  events(onChange: (texts: ReadonlySet<string> | null) => void): EventSocket
  paths(): Pick<Paths, 'addresses' | 'link' | 'close'>
}

export interface RoleVrrpParts {
  readonly settings: RoleSettings
  readonly log: Pick<Log, 'error' | 'warn'>
  readonly clock?: Pick<Clock, 'alarm'>
  readonly kernel?: AddressKernel
  /** The word that the last run of lvsd has heard. */
  readonly remembered?: VrrpWord | null
  onReport(report: RoleReport): void
  onTrouble(trouble: string | null): void
  /** A word that is to be remembered. */
  onWord?(word: VrrpWord): void
}

/** A word that a command of keepalived has brought. */
export interface ToldWord extends VrrpWord {
  readonly began: number | null
}

/** Milliseconds after which what does not go together is told. keepalived moves addresses and says so one after the other. */
const DOUBT_AFTER = 2000
/** Milliseconds between two tries to open what the kernel refuses. */
const RETRY = 5000

const KERNEL: AddressKernel = {
  events: openAddressEvents,
  paths: () => openPaths(openSocket(1 << 18, 'route')),
}

export class RoleVrrp implements RoleSource {
  readonly first = Promise.resolve()
  readonly #parts: RoleVrrpParts
  readonly #alarm: Clock['alarm']
  readonly #wanted: readonly string[]
  #fifo: NotifyFifo | null = null
  #events: EventSocket | null = null
  #paths: ReturnType<AddressKernel['paths']> | null = null
  #sight: Sight | null = null
  #word: HeardWord | null = null
  #order = 0
  #doubt: string | null = null
  #isDoubtTold = false
  #cancelDoubt = () => {}
  #cancelRetry = () => {}
  #kernelTrouble: string | null = null
  #fifoTrouble: string | null = null
  #told: string | null = null
  #isClosed = false

  constructor(parts: RoleVrrpParts) {
    this.#parts = parts
    const { settings, clock = systemClock, remembered } = parts
    this.#alarm = clock.alarm
    this.#wanted = (settings.address ?? []).map(({ text }) => text)
    if (remembered && this.concerns(remembered)) this.#hear(remembered, 'memory')
    if (this.#wanted.length > 0) this.#watch()
    if (settings.fifo) this.#fifo = this.#openFifo(settings.fifo)
    this.#judge()
  }

  /** True if a word is about the instance or the group of the configuration. */
  concerns({ kind, name }: Pick<VrrpWord, 'kind' | 'name'>): boolean {
    const { instance, group } = this.#parts.settings
    return kind === 'INSTANCE' ? name === instance : name === group
  }

  /** Takes a word of a command. Returns false if it does not count, because it is older than what is known. */
  tell({ began, ...word }: ToldWord): boolean {
    const isLater = this.#hear(word, 'command', began)
    this.#judge()
    return isLater
  }

  close(): void {
    this.#isClosed = true
    this.#cancelDoubt()
    this.#cancelRetry()
    this.#fifo?.close()
    this.#unwatch()
  }

  #openFifo(path: string): NotifyFifo {
    const { log, clock } = this.#parts
    return new NotifyFifo({
      path,
      log,
      ...(clock && { clock }),
      onWord: (word, isOld) => {
        if (!this.concerns(word)) return
        this.#hear(word, isOld ? 'memory' : 'fifo')
        this.#judge()
      },
      onTrouble: trouble => {
        this.#fifoTrouble = trouble
        this.#tellTrouble()
      },
    })
  }

  #hear(word: VrrpWord, way: WordWay, began: number | null = null): boolean {
    this.#order++
    const next: HeardWord = { ...word, way, order: this.#order, began }
    // Of what was left in the FIFO, each line is later than the one before.
    const isSequel = way === 'memory' && this.#word?.way === 'memory'
    const counts = isSequel ? next : laterWord(this.#word, next)
    if (counts !== next) return false
    this.#word = next
    this.#parts.onWord?.(word)
    return true
  }

  #watch(): void {
    const { kernel = KERNEL } = this.#parts
    try {
      this.#events = kernel.events(texts => this.#changed(texts))
      this.#paths = kernel.paths()
      this.#look()
    } catch (error) {
      this.#lose(error as Error)
    }
  }

  #unwatch(): void {
    this.#events?.close()
    this.#paths?.close()
    this.#events = null
    this.#paths = null
  }

  #changed(texts: ReadonlySet<string> | null): void {
    if (this.#isClosed || (texts && !this.#wanted.some(text => texts.has(text)))) return
    try {
      this.#look()
    } catch (error) {
      this.#lose(error as Error)
    }
    this.#judge()
  }

  #look(): void {
    const link = this.#parts.settings.interface ?? null
    const before = this.#sight
    const order = ++this.#order
    const sight = sightOf(this.#wanted, this.#placed(), { link, order })
    // A report that changes nothing does not make the address later than a word.
    this.#sight = before?.state === sight.state ? { ...sight, order: before.order } : sight
    this.#kernelTrouble = null
  }

  #placed(): readonly PlacedAddress[] {
    const paths = this.#paths
    const own = paths?.addresses().filter(({ address }) => this.#wanted.includes(address.text)) ?? []
    return own.map(({ address, link, isTentative, isDuplicate }) => ({
      text: address.text,
      link: paths?.link(link)?.name ?? String(link),
      flaw: isDuplicate ? 'duplicate' : isTentative ? 'tentative' : null,
    }))
  }

  /** The role stays as it is, unless keepalived says another one. */
  #lose({ message }: Error): void {
    this.#unwatch()
    this.#sight = null
    this.#kernelTrouble = `the kernel does not tell its addresses: ${message}`
    this.#cancelRetry()
    this.#cancelRetry = this.#alarm(RETRY, () => {
      this.#watch()
      this.#judge()
    })
  }

  #judge(): void {
    const judgement = judgeVrrp(this.#sight, this.#word)
    if (judgement) this.#parts.onReport({ role: judgement.role, reason: judgement.reason })
    this.#consider(judgement?.doubt ?? null)
  }

  #consider(doubt: string | null): void {
    if (doubt !== this.#doubt) {
      this.#doubt = doubt
      this.#cancelDoubt()
      this.#cancelDoubt = () => {}
      if (doubt === null) this.#isDoubtTold = false
      else if (!this.#isDoubtTold)
        this.#cancelDoubt = this.#alarm(DOUBT_AFTER, () => {
          this.#isDoubtTold = true
          this.#tellTrouble()
        })
    }
    this.#tellTrouble()
  }

  /** The worst alone. */
  #tellTrouble(): void {
    const trouble = this.#kernelTrouble ?? (this.#isDoubtTold ? this.#doubt : null) ?? this.#fifoTrouble
    if (trouble === this.#told) return
    this.#told = trouble
    this.#parts.onTrouble(trouble)
  }
}
