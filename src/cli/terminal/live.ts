/** A view that is redrawn in place, with escape sequences of ECMA-48 and xterm. */

/** Switch to the alternate screen without cursor, and back, which restores the previous content of the terminal. */
export const ENTER = '\u001b[?1049h\u001b[?2004h\u001b[?25l'
export const LEAVE = '\u001b[?25h\u001b[?2004l\u001b[?1049l'

/**
 * Returns one frame. Each line overwrites the old one and clears its rest, so that the view does not flicker. Terminals
 * with synchronized updates (mode 2026) show the frame at once; others ignore that sequence.
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
