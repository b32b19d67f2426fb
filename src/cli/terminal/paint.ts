/** Colours, or none. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Style = keyof typeof CODES

/** Gives a text a style where colours are wanted, and the text itself where not. */
export type Paint = (style: Style, text: string) => string

export function painter(colour: boolean): Paint {
  return (style, text) => (colour && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text)
}

/** Health has one colour everywhere. */
export const STATE_STYLE = { up: 'green', down: 'red', unknown: 'yellow' } as const satisfies Record<
  string,
  Style
>
