/** A view that is drawn again and again in the same place. Escape sequences of ECMA-48 and xterm. */

/** The other screen, without cursor: what was on the terminal before comes back at the end. */
export const ENTER = '\u001b[?1049h\u001b[?25l'
export const LEAVE = '\u001b[?25h\u001b[?1049l'

/**
 * One frame: every line written over the old one and its rest cleared, so that nothing flickers; shown at once by
 * terminals that know synchronized updates (mode 2026), which the others ignore.
 */
export function frame(text: string, height: number): string {
  const lines = cut(text.split('\n'), height)
  return `\u001b[?2026h\u001b[H${lines.map(line => `${line}\u001b[K`).join('\r\n')}\u001b[J\u001b[?2026l`
}

function cut(lines: readonly string[], height: number): readonly string[] {
  if (lines.length <= height) return lines
  const hidden = lines.length - height + 1
  return [...lines.slice(0, height - 1), `… ${hidden} more lines: a taller window, or name a service`]
}
