/** Connections per second over the last minutes, by uPlot. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Series } from './live.js'
import { amount, clockText } from './text.js'

const HEIGHT = 140
/** Seconds that are shown: those that are known, in these limits. */
const SPAN = 300
const LEAST = 20
/** Connections per second at the top of an idle plot. */
const LEAST_RATE = 5

export function Plot({ series, label }: { series: Series | undefined; label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(options(element, label), [[], []], element)
    }
    draw()
    const sizes = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    )
    sizes.observe(element)
    const themes = new MutationObserver(draw)
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    return () => {
      sizes.disconnect()
      themes.disconnect()
      scheme.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = null
    }
  }, [label])
  useEffect(() => {
    plot.current?.setData([[...(series?.times ?? [])], [...(series?.values ?? [])]])
  })
  const last = series?.values.at(-1)
  return (
    <figure class="plot">
      <figcaption>
        {label}: <strong>{last === undefined ? '…' : amount(last)}</strong>
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  )
}

/** Distances of the labels: a rate is a whole number. */
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map(digit => digit * 10 ** power)).flat()

function options(element: HTMLElement, label: string): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => {
    // A custom property is read as it is written, and a canvas does not know light-dark().
    element.style.color = `var(${name})`
    const { color } = style
    element.style.color = ''
    return color
  }
  const axis = {
    stroke: colour('--dim'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { range: (_plot, first, last) => [Math.min(Math.max(first, last - SPAN), last - LEAST), last] },
      y: { range: (_plot, _least, most) => [0, Math.max(LEAST_RATE, most * 1.1)] },
    },
    axes: [
      { ...axis, size: 28, space: 90, values: (_plot, splits) => splits.map(clockText) },
      { ...axis, size: 44, incrs: WHOLE, values: (_plot, splits) => splits.map(amount) },
    ],
    series: [
      {},
      {
        label,
        stroke: colour('--accent'),
        fill: colour('--accent-faint'),
        width: 2,
        points: { show: false },
      },
    ],
  }
}
