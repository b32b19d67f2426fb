/** A list with a filter, and a cursor that the keyboard moves. */
import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Arrangement, arranged } from './arrange.js'
import { useKeys } from './keyboard.js'

/** Rows that the keys for a page move. */
const PAGE = 15

export interface List<T> {
  readonly shown: readonly T[]
  readonly filter: string
  setFilter(filter: string): void
  /** Index of the item at the cursor; -1: none. */
  readonly cursor: number
  /** The item at the cursor now, also before it is drawn. */
  current(): T | undefined
}

export interface ListParts<T> extends Arrangement<T> {
  readonly items: readonly T[]
  readonly keyOf: (item: T) => string
  /** The address of its view. */
  readonly hrefOf: (item: T) => string
}

/** The cursor stays on its item when the order changes, so that a key never acts on another one. */
export function useList<T>({ items, keyOf, textOf, rankOf, hrefOf }: ListParts<T>): List<T> {
  const [filter, setFilter] = useState('')
  // The key that follows at once must find the cursor where the last one has put it: a drawing comes later.
  const at = useRef<string | null>(null)
  const [, draw] = useState(0)
  const setAt = (key: string | null) => {
    at.current = key
    draw(count => count + 1)
  }
  const shown = useMemo(() => arranged(items, filter, { textOf, rankOf }), [items, filter])
  const cursorOf = () => (at.current === null ? -1 : shown.findIndex(item => keyOf(item) === at.current))
  const current = () => shown[cursorOf()]
  const go = (index: number) => {
    const item = shown[Math.min(Math.max(index, 0), shown.length - 1)]
    if (item !== undefined) setAt(keyOf(item))
  }
  const step = (rows: number) => () => go(cursorOf() + rows)
  useKeys({
    ArrowDown: step(1),
    j: step(1),
    ArrowUp: step(-1),
    k: step(-1),
    PageDown: step(PAGE),
    PageUp: step(-PAGE),
    Enter: () => {
      const item = current()
      if (item !== undefined) location.assign(hrefOf(item))
    },
    Home: () => go(0),
    End: () => go(shown.length - 1),
    '/': () => document.getElementById(FILTER)?.focus(),
  })
  return {
    shown,
    filter,
    cursor: cursorOf(),
    current,
    setFilter(next) {
      setFilter(next)
      setAt(null)
    },
  }
}

const FILTER = 'filter'

interface FilterFieldProps {
  readonly list: Pick<List<unknown>, 'filter' | 'setFilter'>
  readonly placeholder: string
}

export function FilterField({ list, placeholder }: FilterFieldProps) {
  return (
    <label>
      Filter{' '}
      <input
        id={FILTER}
        type="search"
        value={list.filter}
        placeholder={placeholder}
        onInput={event => list.setFilter(event.currentTarget.value)}
        onKeyDown={event => event.key === 'Escape' && event.currentTarget.blur()}
      />
    </label>
  )
}

/** The link of a row: it gets the focus when the cursor comes to the row, so that Enter opens it and readers say it. */
export function useCursorLink(isAt: boolean): RefObject<HTMLAnchorElement | null> {
  const link = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    const { activeElement } = document
    const isFree = activeElement === document.body || activeElement?.matches('.row-link, main')
    if (isAt && isFree) link.current?.focus({ preventScroll: true })
  }, [isAt])
  return link
}
