/** Properties of the terminal or stream on which a text is shown. */

export interface Screen {
  readonly isTerminal: boolean
  /** Columns. Without a terminal: the value of COLUMNS (`watch lvsd status`), or unlimited. */
  readonly width: number
  /** Rows; null without a terminal. */
  readonly height: number | null
  readonly colour: boolean
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * Returns the present properties of a stream. Colours are used on a terminal, unless NO_COLOR is set or TERM is dumb;
 * FORCE_COLOR enables them.
 */
export function screenOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  env: Env,
): Screen {
  const isTerminal = stream.isTTY === true
  return {
    isTerminal,
    width: isTerminal ? stream.columns || 80 : columnsOf(env),
    height: isTerminal ? stream.rows || 24 : null,
    colour: wantsColour(isTerminal, env),
  }
}

function columnsOf({ COLUMNS = '' }: Env): number {
  return /^[1-9]\d{0,4}$/.test(COLUMNS) ? Number(COLUMNS) : Number.POSITIVE_INFINITY
}

function wantsColour(isTerminal: boolean, env: Env): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}
