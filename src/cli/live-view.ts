/** The live view of `lvsd status --watch`: fetches the status and draws it, repeatedly. */
import { ControlError } from '../api/client.js'
import type { StatusDocument } from '../api/status-types.js'
import { painter } from '../util/paint.js'
import { dateTime } from '../util/time-text.js'
import type { CommandContext } from './command.js'
import { clip } from './terminal/columns.js'
import { ENTER, frame, LEAVE } from './terminal/live.js'
import { renderStatus } from './terminal/status.js'
import { changesBetween, transitionLines } from './terminal/transitions.js'

export interface Watch {
  readonly context: Pick<
    CommandContext,
    'screen' | 'print' | 'printData' | 'write' | 'onSignal' | 'onKey' | 'outputClosed' | 'hasReader'
  >
  fetch(): Promise<StatusDocument>
  /** Milliseconds between two requests. */
  readonly every: number
  /** Prints a JSON object per line for each change, for programs. */
  readonly isJson?: boolean
  /** Lines above the table. */
  readonly intro?: string
  /** Ends the view when aborted. */
  readonly until?: AbortSignal
}

/** Maximum number of transitions shown below the table. */
const RECENT = 6

interface View {
  document: StatusDocument
  recent: string[]
  /** Error message of the last request, or null. */
  trouble: string | null
}

/**
 * Shows the status until SIGINT, SIGTERM, SIGHUP, the key q, `until`, or until the reader of the output is gone. On a
 * terminal it redraws in place; elsewhere it prints the table once, and then a line for each transition. Throws a
 * ControlError if the first request fails.
 */
export async function watchStatus(watch: Watch): Promise<void> {
  const view: View = { document: await watch.fetch(), recent: [], trouble: null }
  const ended = new AbortController()
  const { context } = watch
  const signals = [ended.signal, context.outputClosed, ...(watch.until ? [watch.until] : [])]
  const stop = AbortSignal.any(signals)
  const unlisten = context.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => ended.abort())
  const isDrawn = context.screen.isTerminal && !watch.isJson
  // With JSON output the command may run in the background, where it must not change the mode of the terminal.
  const unlistenKeys = isDrawn ? context.onKey(key => (/q/i.test(key) ? ended.abort() : undefined)) : () => {}
  try {
    await (isDrawn ? redraw : printLines)(watch, view, stop)
  } finally {
    unlisten()
    unlistenKeys()
  }
}

async function redraw(watch: Watch, view: View, stop: AbortSignal): Promise<void> {
  const { context } = watch
  const draw = () => context.write(frame(picture(watch, view), context.screen.height ?? 24))
  const unlisten = context.onSignal(['SIGWINCH'], draw)
  context.write(ENTER)
  try {
    while (!stop.aborted) {
      draw()
      await pause(watch.every, stop)
      await refresh(watch, view)
    }
  } finally {
    unlisten()
    context.write(LEAVE)
  }
}

/** Returns intro, table, error message, and as many of the latest transitions as fit. */
function picture({ context: { screen }, intro = '' }: Watch, { document, recent, trouble }: View): string {
  const { width, height, colour } = screen
  const blocks = [
    intro,
    renderStatus(document, { width, colour, now: Date.now() }),
    trouble === null ? '' : painter(colour)('red', `! ${trouble}`),
  ]
  const lines = blocks.filter(Boolean).join('\n\n').split('\n')
  const room = Math.max(0, Math.min(RECENT, (height ?? Number.POSITIVE_INFINITY) - lines.length - 1))
  const news = room === 0 ? [] : recent.slice(-room)
  return [...lines, ...(news.length > 0 ? ['', ...news] : [])].map(line => clip(line, width)).join('\n')
}

async function printLines(watch: Watch, view: View, stop: AbortSignal): Promise<void> {
  const { context } = watch
  if (!watch.isJson) context.print(`${picture(watch, view)}\n`)
  while (!stop.aborted && context.hasReader()) {
    await pause(watch.every, stop)
    for (const line of await refresh(watch, view))
      watch.isJson ? context.printData(line) : context.print(line)
  }
}

/** Fetches the status again. Returns a line for each change since the last answer. */
async function refresh({ fetch, context, isJson = false }: Watch, view: View): Promise<string[]> {
  const now = Date.now()
  const own = (text: string) =>
    isJson
      ? JSON.stringify({ kind: 'lvsd', at: new Date(now).toISOString(), message: text })
      : `${dateTime(now)}  ${text}`
  try {
    const document = await fetch()
    const news = isJson
      ? changesBetween(view.document, document).map(change => JSON.stringify(change))
      : transitionLines(view.document, document, { colour: context.screen.colour })
    view.recent = [...view.recent, ...news].slice(-RECENT)
    view.document = document
    const wasTroubled = view.trouble !== null
    view.trouble = null
    return wasTroubled ? [own('lvsd answers again'), ...news] : news
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const isNew = view.trouble !== error.message
    view.trouble = error.message
    return isNew ? [own(error.message)] : []
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (stop.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    stop.addEventListener('abort', done)
  })
}
