/**
 * A list in sections that a person scrolls, folds and filters by keys: the real servers of `status --watch` and `top`.
 * Pure: the state of the view and a key give the next state; state and sections give the lines.
 */
import { type Paint, painter } from '../../util/paint.js'
import { clip } from './columns.js'

export interface ListItem {
  /** Stable from one document to the next. */
  readonly id: string
  /** Lines that begin with two spaces, where the cursor is drawn. */
  readonly lines: readonly string[]
  /** Text that a filter searches, in lower case. */
  readonly words: string
  /** True: it may be folded if the window is small. */
  readonly isQuiet: boolean
}

export interface ListSection {
  readonly id: string
  readonly head: readonly string[]
  readonly items: readonly ListItem[]
  readonly foot: readonly string[]
  /** Text of the section that a filter searches, in lower case. */
  readonly words: string
  /** The word for its quiet items: `healthy`. */
  readonly quietWord: string
}

export interface ListState {
  /** Id of the row with the cursor; null: no cursor. */
  readonly cursor: string | null
  /** Index of the first visible line. */
  readonly top: number
  readonly filter: string
  /** True while the filter is typed. */
  readonly isTyping: boolean
  /** Sections that a person has unfolded, or folded. */
  readonly unfolded: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

export const START: ListState = {
  cursor: null,
  top: 0,
  filter: '',
  isTyping: false,
  unfolded: new Set(),
  folded: new Set(),
}

/** A line of the list. Lines with the same id belong to one row; null: the cursor does not stop there. */
interface Line {
  readonly text: string
  readonly id: string | null
}

/** Fewer quiet items than this are not folded: the line that replaces them would save too little space. */
const WORTH_FOLDING = 4
const FOLD = 'fold '

/** Keys as a terminal sends them. */
export const KEYS = {
  up: ['\u001b[A', '\u001bOA', 'k'],
  down: ['\u001b[B', '\u001bOB', 'j'],
  pageUp: ['\u001b[5~', 'b'],
  pageDown: ['\u001b[6~', ' '],
  first: ['\u001b[H', '\u001bOH', '\u001b[1~', 'g'],
  last: ['\u001b[F', '\u001bOF', '\u001b[4~', 'G'],
  enter: ['\r', '\n'],
  escape: ['\u001b'],
  erase: ['\u007f', '\b'],
  fold: ['f'],
  filter: ['/'],
} as const satisfies Readonly<Record<string, readonly string[]>>

type KeyName = keyof typeof KEYS

export function isKey(key: string, name: KeyName): boolean {
  return (KEYS[name] as readonly string[]).includes(key)
}

/** Returns the id of the item with the cursor, or null. */
export function itemAt(state: ListState): string | null {
  return state.cursor === null || state.cursor.startsWith(FOLD) ? null : state.cursor
}

/** Returns the state after a key, or null if the key has no meaning for the list. `room`: lines of the window. */
export function pressed(
  state: ListState,
  key: string,
  sections: readonly ListSection[],
  room: number,
): ListState | null {
  if (state.isTyping) return typed(state, key)
  if (isKey(key, 'filter')) return { ...state, isTyping: true }
  if (isKey(key, 'escape') && state.filter !== '') return { ...state, filter: '', top: 0 }
  if (isKey(key, 'enter') && state.cursor?.startsWith(FOLD))
    return unfold(state, state.cursor.slice(FOLD.length), sections)
  if (isKey(key, 'fold')) return toggled(state, sections, room)
  const step = stepOf(key, room)
  return step === null ? null : moved(state, step, linesOf(sections, state, room), room)
}

function typed(state: ListState, key: string): ListState {
  if (isKey(key, 'enter')) return { ...state, isTyping: false }
  if (isKey(key, 'escape')) return { ...state, isTyping: false, filter: '', top: 0 }
  if (isKey(key, 'erase')) return { ...state, filter: [...state.filter].slice(0, -1).join(''), top: 0 }
  return /^[\p{Cc}\p{Cf}]/u.test(key) ? state : { ...state, filter: state.filter + key, top: 0 }
}

/** Returns how many rows a key moves the cursor, or null. */
function stepOf(key: string, room: number): number | null {
  if (isKey(key, 'up')) return -1
  if (isKey(key, 'down')) return 1
  if (isKey(key, 'pageUp')) return -Math.max(1, room - 1)
  if (isKey(key, 'pageDown')) return Math.max(1, room - 1)
  if (isKey(key, 'first')) return Number.NEGATIVE_INFINITY
  return isKey(key, 'last') ? Number.POSITIVE_INFINITY : null
}

/** Moves the cursor, and the window with it. Without a cursor, it appears on the first row of the window. */
function moved(state: ListState, step: number, lines: readonly Line[], room: number): ListState {
  const ids = [...new Set(lines.flatMap(({ id }) => id ?? []))]
  if (ids.length === 0) return state
  const at = ids.indexOf(state.cursor ?? '')
  const first = ids.indexOf(lines.slice(state.top).find(({ id }) => id !== null)?.id ?? '')
  const next = at < 0 && Number.isFinite(step) ? Math.max(0, first) : Math.max(0, at) + step
  const cursor = ids[Math.min(Math.max(next, 0), ids.length - 1)] as string
  return { ...state, cursor, top: topFor(cursor, state.top, lines, room) }
}

/** Returns the first line of the window so that the row with the cursor is in it, with the head of its section if it fits. */
function topFor(cursor: string, top: number, lines: readonly Line[], room: number): number {
  const from = lines.findIndex(({ id }) => id === cursor)
  const to = lines.findLastIndex(({ id }) => id === cursor)
  if (from < 0) return Math.max(0, Math.min(top, lines.length - room))
  const isFirstRow = !lines.slice(0, from).some(({ id }) => id !== null)
  if (isFirstRow && to < room) return 0
  // A window that has grown shows no blank lines while there are lines above it.
  return Math.max(0, Math.min(Math.max(top, to - room + 1), from, lines.length - room))
}

function unfold(state: ListState, section: string, sections: readonly ListSection[]): ListState {
  const cursor = sections.find(({ id }) => id === section)?.items.find(item => item.isQuiet)?.id ?? null
  return {
    ...state,
    cursor,
    unfolded: new Set([...state.unfolded, section]),
    folded: without(state.folded, section),
  }
}

/** Folds the section with the cursor, or unfolds it; without a cursor all sections. */
function toggled(state: ListState, sections: readonly ListSection[], room: number): ListState {
  const own = sections.find(({ id, items }) =>
    [FOLD + id, ...items.map(item => item.id)].includes(state.cursor ?? ''),
  )
  const meant = own ? [own] : sections
  const isTall = heightOf(sections) > room
  const isFolding = meant.some(section => !isFolded(section, state, isTall))
  const ids = meant.map(({ id }) => id)
  const cursor = own && isFolding && quietIn(own) > 0 ? FOLD + own.id : state.cursor
  const [added, removed] = isFolding ? (['folded', 'unfolded'] as const) : (['unfolded', 'folded'] as const)
  return {
    ...state,
    cursor,
    [added]: new Set([...state[added], ...ids]),
    [removed]: without(state[removed], ...ids),
  }
}

function without(set: ReadonlySet<string>, ...ids: readonly string[]): ReadonlySet<string> {
  return new Set([...set].filter(id => !ids.includes(id)))
}

function quietIn({ items }: ListSection): number {
  return items.filter(({ isQuiet }) => isQuiet).length
}

/**
 *   filter   folded by a person   unfolded by a person   all fit in the window   quiet items   folded
 *   set      any                  any                    any                     any           no
 *   none     yes                  -                      any                     1 or more     yes
 *   none     no                   yes                    any                     any           no
 *   none     no                   no                     yes                     any           no
 *   none     no                   no                     no                      4 or more     yes
 */
function isFolded(section: ListSection, state: ListState, isTall: boolean): boolean {
  if (state.filter !== '') return false
  if (state.folded.has(section.id)) return quietIn(section) > 0
  if (state.unfolded.has(section.id)) return false
  return isTall && quietIn(section) >= WORTH_FOLDING
}

function heightOf(sections: readonly ListSection[]): number {
  return sections.reduce(
    (sum, { head, items, foot }) =>
      sum + 1 + head.length + foot.length + items.reduce((lines, item) => lines + item.lines.length, 0),
    -1,
  )
}

function matching(sections: readonly ListSection[], filter: string): readonly ListSection[] {
  const word = filter.toLowerCase()
  if (word === '') return sections
  return sections.flatMap(section => {
    if (section.words.includes(word)) return [section]
    const items = section.items.filter(({ words }) => words.includes(word))
    return items.length > 0 ? [{ ...section, items }] : []
  })
}

function linesOf(all: readonly ListSection[], state: ListState, room: number): readonly Line[] {
  const sections = matching(all, state.filter)
  const isTall = heightOf(sections) > room
  const lines = sections.flatMap(section => {
    const { id, head, items, foot } = section
    const hidden = isFolded(section, state, isTall) ? quietIn(section) : 0
    const shown = hidden > 0 ? items.filter(({ isQuiet }) => !isQuiet) : items
    return [
      ...head.map(plain),
      ...shown.flatMap(item => item.lines.map(text => ({ text, id: item.id }))),
      ...(hidden > 0 ? [{ text: `  … ${hidden} ${section.quietWord}`, id: FOLD + id }] : []),
      ...foot.map(plain),
      plain(''),
    ]
  })
  return lines.slice(0, -1)
}

function plain(text: string): Line {
  return { text, id: null }
}

/** The window: its lines, and the state with a window that is within the list. */
export interface Window {
  readonly lines: readonly string[]
  readonly state: ListState
  /** Lines above and below the window. */
  readonly above: number
  readonly below: number
}

/** Returns the lines of the window, clipped to `width` columns. */
export function windowOf(
  sections: readonly ListSection[],
  state: ListState,
  { room, width, colour }: { readonly room: number; readonly width: number; readonly colour: boolean },
): Window {
  const lines = linesOf(sections, state, room)
  const isThere = state.cursor === null || lines.some(({ id }) => id === state.cursor)
  const cursor = isThere ? state.cursor : null
  const top =
    cursor === null
      ? Math.max(0, Math.min(state.top, lines.length - room))
      : topFor(cursor, state.top, lines, room)
  const paint = painter(colour)
  const shown = lines.slice(top, top + room)
  const marked = cursor === null ? undefined : shown.find(({ id }) => id === cursor)
  return {
    lines: shown.map(line => clip(line === marked ? withCursor(line.text, paint) : line.text, width)),
    state: { ...state, cursor, top },
    above: top,
    below: Math.max(0, lines.length - top - room),
  }
}

/** Draws the cursor in place of the two spaces at the beginning of the line. */
function withCursor(text: string, paint: Paint): string {
  return `${paint('cyan', '>')} ${text.slice(2)}`
}
