/** A long list of rows of one height, of which only those near the window are in the document. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export interface VirtualRowsProps<T> {
  readonly items: readonly T[]
  readonly keyOf: (item: T) => string
  /** Pixels. */
  readonly rowHeight: number
  /** Index of the row that the keyboard is at. */
  readonly cursor: number
  readonly render: (item: T, index: number) => ComponentChildren
}

/** Rows that are kept above and below the window. */
const SPARE = 8

export function VirtualRows<T>({ items, keyOf, rowHeight, cursor, render }: VirtualRowsProps<T>) {
  const box = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState({ first: 0, last: 40 })
  useEffect(() => {
    let isPlanned = false
    const look = () => {
      isPlanned = false
      const element = box.current
      if (!element) return
      const { top } = element.getBoundingClientRect()
      const first = Math.max(0, Math.floor(-top / rowHeight) - SPARE)
      const last = Math.ceil((innerHeight - top) / rowHeight) + SPARE
      setRange(before => (before.first === first && before.last === last ? before : { first, last }))
    }
    const plan = () => {
      if (isPlanned) return
      isPlanned = true
      requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', plan, { passive: true })
    addEventListener('resize', plan)
    return () => {
      removeEventListener('scroll', plan)
      removeEventListener('resize', plan)
    }
  }, [rowHeight])
  useEffect(() => {
    const element = box.current
    if (!element || cursor < 0) return
    const top = element.getBoundingClientRect().top + cursor * rowHeight
    const margin = 120
    if (top < margin) scrollBy({ top: top - margin })
    else if (top + rowHeight > innerHeight - margin / 2)
      scrollBy({ top: top + rowHeight - innerHeight + margin / 2 })
  }, [cursor, rowHeight])
  const first = Math.min(range.first, items.length)
  const shown = items.slice(first, Math.max(first, range.last))
  return (
    <div class="rows" ref={box} role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
      {shown.map((item, i) => (
        <div
          key={keyOf(item)}
          class="slot"
          role="presentation"
          style={{ transform: `translateY(${(first + i) * rowHeight}px)`, height: `${rowHeight}px` }}
        >
          {render(item, first + i)}
        </div>
      ))}
    </div>
  )
}
