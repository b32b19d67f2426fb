/** What a text is shown on. */

export interface Screen {
  readonly isTerminal: boolean
  /** Columns; where it is no terminal those of COLUMNS (`watch lvsd status`), or without limit. */
  readonly width: number
  /** Rows; null where it is no terminal. */
  readonly height: number | null
  readonly colour: boolean
}

type Env = Readonly<Record<string, string | undefined>>

/** Reads a stream's present size. Colours: on a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR asks for them. */
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
