/** An interactive live view: a head, a list, and a panel that keys open (an explanation, a question, the help). */
import { ControlError } from '../api/client.js'
import type { TargetName } from '../api/override-types.js'
import type { StatusDocument } from '../api/status-types.js'
import { addressesOf } from '../core/multihomed.js'
import { type Paint, painter } from '../util/paint.js'
import { printable } from '../util/printable.js'
import { clockTime } from '../util/time-text.js'
import { clip, pad } from './terminal/columns.js'
import { hanging } from './terminal/hanging.js'
import {
  isKey,
  itemAt,
  type ListSection,
  type ListState,
  pressed,
  START,
  windowOf,
} from './terminal/list-view.js'
import { statusHead, statusSections } from './terminal/status.js'
import type { StatusView } from './terminal/status-view.js'

/** What a live view shows. */
export interface Content {
  /** Takes a new document before it is rendered. */
  take?(document: StatusDocument): void
  /** Blocks of lines above the list, which do not scroll. */
  head(document: StatusDocument, view: StatusView): readonly (readonly string[])[]
  /** The ids of its items are `SERVICE REAL`. */
  sections(document: StatusDocument, view: StatusView): readonly ListSection[]
  /** Handles a key of its own, such as a sort key. Returns true if it has one. */
  press?(key: string): boolean
  /** Its own keys, for the help: key and effect. */
  readonly keys?: readonly (readonly [key: string, effect: string])[]
}

export const statusContent: Content = { head: statusHead, sections: statusSections }

/** Requests that keys send to the daemon. Each resolves to a text for people, and may reject with a ControlError. */
export interface Steering {
  explain(target: TargetName, view: StatusView): Promise<string>
  /** The targets are the addresses of one server. */
  drain(targets: readonly TargetName[]): Promise<string>
  enable(targets: readonly TargetName[]): Promise<string>
}

export interface WorkViewParts {
  readonly intro?: string
  readonly content?: Content
  readonly steering?: Steering
  /** Draws the view. */
  onChange(): void
  quit(): void
  /** Fetches the status again. */
  refresh(): Promise<unknown>
}

interface Size extends StatusView {
  readonly height: number
}

/** The panel that covers the list, or the question below it. */
type Dialog =
  | { readonly kind: 'text'; readonly lines: readonly string[]; readonly top: number }
  | { readonly kind: 'question'; readonly text: string; readonly act: () => Promise<string> }

/** Lines for the latest transitions below the list, if the window is tall enough. */
const NEWS = 3
const TALL = 20
/** Stands behind a question, however narrow the window is. */
const ANSWERS = ' [y/N]'
/** What a terminal sends around a paste, which is text for the filter and no keys: it might drain a server. */
const PASTE = { begin: '\u001b[200~', end: '\u001b[201~' }

export class WorkView {
  readonly #parts: WorkViewParts
  readonly #content: Content
  #list: ListState = START
  #dialog: Dialog | null = null
  #notice = ''
  #isPasting = false
  #size: Size = { width: 80, height: 24, colour: false, now: 0 }
  #room = 10
  /** The last sections, with the document that they show. */
  #drawn: { document: StatusDocument; key: string; sections: readonly ListSection[] } | null = null

  constructor(parts: WorkViewParts) {
    this.#parts = parts
    this.#content = parts.content ?? statusContent
  }

  /** Returns the sections of this document. Keys within the same second reuse them. */
  #sectionsOf(document: StatusDocument, size: Size): readonly ListSection[] {
    const { width, colour, now } = size
    const key = `${width} ${colour} ${Math.floor(now / 1000)}`
    if (this.#drawn?.document !== document || this.#drawn.key !== key)
      this.#drawn = { document, key, sections: this.#content.sections(document, size) }
    return this.#drawn.sections
  }

  take(document: StatusDocument): void {
    this.#content.take?.(document)
  }

  /** Returns `height` lines or less. */
  picture(
    answers: {
      readonly document: StatusDocument
      readonly recent: readonly string[]
      readonly trouble: string | null
    },
    given: Size,
  ): string {
    const { document, recent, trouble } = answers
    // What is known does not become older or newer than it was.
    const size = trouble === null ? given : { ...given, now: Date.parse(document.now) }
    this.#size = size
    const { width, height, colour } = size
    const paint = painter(colour)
    if (this.#dialog?.kind === 'text') return this.#textPicture(this.#dialog)
    const head = [
      ...(trouble === null ? [] : [silenceLines(trouble, size).map(line => paint('red', line))]),
      ...(this.#parts.intro ? [this.#parts.intro.split('\n')] : []),
      ...this.#content.head(document, size),
    ].flatMap(block => (block.length > 0 ? [...block, ''] : []))
    const shownHead = shortened(head, Math.max(4, Math.floor(height / 2)), paint).slice(
      0,
      Math.max(0, height - 6),
    )
    const news = height >= TALL ? recent.slice(-NEWS) : []
    this.#room = Math.max(1, height - shownHead.length - 1 - (news.length > 0 ? news.length + 1 : 0))
    const window = windowOf(this.#sectionsOf(document, size), this.#list, {
      room: this.#room,
      width,
      colour,
    })
    this.#list = window.state
    const blank = Array<string>(Math.max(0, this.#room - window.lines.length)).fill('')
    return [
      ...shownHead.map(line => clip(line, width)),
      ...window.lines,
      ...blank,
      ...(news.length > 0 ? ['', ...news.map(line => clip(line, width))] : []),
      this.#footer(window),
    ].join('\n')
  }

  /** Handles a key. */
  press(key: string, document: StatusDocument): void {
    if (key === PASTE.begin || key === PASTE.end) this.#isPasting = key === PASTE.begin
    if (this.#isPasting && !this.#list.isTyping) return
    this.#notice = ''
    if (this.#dialog) this.#pressInDialog(key, this.#dialog)
    else if (!this.#list.isTyping && /^q$/i.test(key)) this.#parts.quit()
    else this.#pressInList(key, document)
    this.#parts.onChange()
  }

  #pressInList(key: string, document: StatusDocument): void {
    const next = pressed(this.#list, key, this.#sectionsOf(document, this.#size), this.#room)
    if (next) {
      this.#list = next
      return
    }
    if (key === '?' || key === 'h') this.#dialog = { kind: 'text', lines: this.#help(), top: 0 }
    else if (this.#content.press?.(key)) {
      this.#list = { ...this.#list, top: 0 }
      this.#drawn = null
    } else this.#steer(key, document)
  }

  #steer(key: string, document: StatusDocument): void {
    const { steering } = this.#parts
    const isMeant = isKey(key, 'enter') || ['w', 'd', 'e'].includes(key)
    if (!steering || !isMeant) return
    const targets = targetsOf(document, itemAt(this.#list))
    const [target] = targets
    if (!target) {
      this.#notice = 'choose a real server with the arrow keys first'
      return
    }
    const name = printable(targets.map(({ service, real }) => `${service}/${real}`).join(' and '))
    if (key === 'd')
      this.#ask(`drain ${name}: weight 0, existing connections continue?`, () => steering.drain(targets))
    else if (key === 'e') this.#ask(`enable ${name}: end its overrides?`, () => steering.enable(targets))
    else
      this.#try(
        () => steering.explain(target, this.#size),
        text => this.#show(text),
      )
  }

  #ask(text: string, act: () => Promise<string>): void {
    this.#dialog = { kind: 'question', text, act }
  }

  #show(text: string): void {
    this.#dialog = { kind: 'text', lines: text.split('\n'), top: 0 }
  }

  #pressInDialog(key: string, dialog: Dialog): void {
    if (dialog.kind === 'question') {
      this.#dialog = null
      if (/^y$/i.test(key)) this.#try(dialog.act, text => this.#report(text))
      else this.#notice = 'nothing has been changed'
      return
    }
    const page = Math.max(1, this.#size.height - 2)
    const steps = {
      up: -1,
      down: 1,
      pageUp: -page,
      pageDown: page,
      first: -Infinity,
      last: Infinity,
    } as const
    const step = Object.entries(steps).find(([name]) => isKey(key, name as keyof typeof steps))?.[1]
    if (step === undefined) this.#dialog = null
    else {
      const last = Math.max(0, dialog.lines.length - this.#size.height + 1)
      this.#dialog = { ...dialog, top: Math.min(Math.max(dialog.top + step, 0), last) }
    }
  }

  /** Shows the text of an answer, or the reason why there is none. */
  #try(act: () => Promise<string>, show: (text: string) => void): void {
    const { onChange, refresh } = this.#parts
    act()
      .then(show, error => {
        if (!(error instanceof ControlError)) throw error
        this.#report(error.message)
      })
      .then(refresh)
      .then(onChange)
  }

  #report(text: string): void {
    this.#notice = text.split('\n')[0] ?? ''
  }

  #textPicture({ lines, top }: Extract<Dialog, { kind: 'text' }>): string {
    const { width, height, colour } = this.#size
    const room = height - 1
    const below = Math.max(0, lines.length - top - room)
    const shown = lines.slice(top, top + room).map(line => clip(line, width))
    const blank = Array<string>(Math.max(0, room - shown.length)).fill('')
    const more = below > 0 ? `Down: ${below} more lines  ` : ''
    return [...shown, ...blank, painter(colour)('dim', `${more}any other key: back`)].join('\n')
  }

  #footer({ above, below }: { readonly above: number; readonly below: number }): string {
    const { width, colour } = this.#size
    const paint = painter(colour)
    const { filter, isTyping } = this.#list
    if (this.#dialog?.kind === 'question')
      return paint('bold', `${clip(this.#dialog.text, width - ANSWERS.length)}${ANSWERS}`)
    if (isTyping) return clip(`filter: ${filter}_  (Enter keeps it, Esc ends it)`, width)
    if (this.#notice) return paint('yellow', clip(printable(this.#notice), width))
    const steps = this.#parts.steering ? ['Enter why', 'd drain', 'e enable'] : []
    const own = (this.#content.keys ?? []).slice(0, 1).map(([key, effect]) => `${key} ${effect}`)
    const filtering = filter === '' ? '/ filter' : `filter "${filter}" (Esc ends it)`
    const hints = ['q quit', ...steps, filtering, 'f fold', ...own, '? help'].join('  ')
    const position = [
      ...(above > 0 ? [`${above} above`] : []),
      ...(below > 0 ? [`${below} below`] : []),
    ].join(', ')
    const room = width - position.length - 2
    return paint('dim', clip(`${pad(clip(hints, room), room)}  ${position}`.trimEnd(), width))
  }

  #help(): string[] {
    const keys: (readonly [string, string])[] = [
      ['Up, Down, k, j', 'move the cursor'],
      ['PageUp, PageDown, b, space', 'move it by a window'],
      ['Home, End, g, G', 'first row, last row'],
      ['/', 'filter by name, address, state or reason'],
      ['f', 'fold or unfold the healthy servers of a service'],
      ...(this.#parts.steering
        ? ([
            ['Enter, w', 'why is the server in its state'],
            ['d', 'drain: weight 0, existing connections continue'],
            ['e', 'enable: end the overrides of the server'],
          ] as const)
        : []),
      ...(this.#content.keys ?? []),
      ['q, Ctrl-C', 'quit'],
    ]
    return [
      'Keys',
      '',
      ...keys.map(([key, effect]) => `  ${pad(key, 28)}${effect}`),
      '',
      'Healthy servers are folded while the list does not fit in the window.',
    ]
  }
}

/** Returns the lines above all others while the daemon does not answer. */
function silenceLines(trouble: string, { now, width }: StatusView): readonly string[] {
  return [`as of ${clockTime(now)}: lvsd does not answer`, ...hanging('! ', trouble, width)]
}

/** Leaves half of the window to the list, however much there is to say above it. */
function shortened(head: readonly string[], most: number, paint: Paint): readonly string[] {
  if (head.length <= most) return head
  const left =
    head.filter(line => line !== '').length - head.slice(0, most - 2).filter(line => line !== '').length
  return [...head.slice(0, most - 2), paint('yellow', `! ${left} more: lvsd status`), '']
}

/** Returns the item's server, and then its further addresses; none if the document has no such server. */
function targetsOf({ services }: StatusDocument, id: string | null): readonly TargetName[] {
  for (const { name: service, reals, multihomed } of services)
    for (const { name } of reals) {
      if (`${service} ${name}` !== id) continue
      return [...new Set([name, ...addressesOf(name, multihomed)])].map(real => ({ service, real }))
    }
  return []
}
