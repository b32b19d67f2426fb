/** The colour of each health state in all outputs. */
import type { Style } from '../../util/paint.js'

export const STATE_STYLE = { up: 'green', down: 'red', unknown: 'yellow' } as const satisfies Record<
  string,
  Style
>
