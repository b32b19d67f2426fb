/** Draws numbers as a line of small bars. Pure. */

const BARS = '▁▂▃▄▅▆▇█'

/** Returns one bar for each of the last `width` values, relative to the highest of them; spaces where there are fewer. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(0, ...shown)
  const bars = shown.map(value => BARS[most === 0 ? 0 : Math.round((value / most) * (BARS.length - 1))])
  return bars.join('').padStart(width)
}
