/**
 * The live views `lvsd status --watch` and `lvsd top`: fetch the status and draw it, repeatedly. On a terminal the view
 * is an interactive list: keys scroll, fold and filter it, explain a server, drain or enable it.
 */
import { ControlError } from '../api/client.js'
import type { StatusDocument } from '../api/status-types.js'
import { pause } from '../util/pause.js'
import { dateTime, shortTime } from '../util/time-text.js'
import type { CommandContext } from './command.js'
import { ENTER, frame, LEAVE } from './terminal/live.js'
import { renderStatus } from './terminal/status.js'
import { changesBetween, transitionLines } from './terminal/transitions.js'
import { type Content, type Steering, WorkView } from './work-view.js'

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
  /** Lines above the list. */
  readonly intro?: string
  /** Ends the view when aborted. */
  readonly until?: AbortSignal
  /** What the list shows; the default is the status. */
  readonly content?: Content
  /** The requests that keys send to the daemon; without it, keys only scroll and search. */
  readonly steering?: Steering
}

/** Maximum number of transitions that the view keeps. */
const RECENT = 6

interface Answers {
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
  const answers: Answers = { document: await watch.fetch(), recent: [], trouble: null }
  const ended = new AbortController()
  const { context } = watch
  const signals = [ended.signal, context.outputClosed, ...(watch.until ? [watch.until] : [])]
  const stop = AbortSignal.any(signals)
  const unlisten = context.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => ended.abort())
  try {
    // With JSON output the command may run in the background, where it must not change the mode of the terminal.
    if (context.screen.isTerminal && !watch.isJson) await redraw(watch, answers, stop, () => ended.abort())
    else await printLines(watch, answers, stop)
  } finally {
    unlisten()
  }
}

async function redraw(watch: Watch, answers: Answers, stop: AbortSignal, quit: () => void): Promise<void> {
  const { context } = watch
  const draw = () => {
    const { width, colour, height } = context.screen
    const rows = height ?? 24
    if (!stop.aborted)
      context.write(frame(view.picture(answers, { width, colour, height: rows, now: Date.now() }), rows))
  }
  const view = new WorkView({ ...watch, onChange: draw, quit, refresh: () => refresh(watch, answers) })
  view.take(answers.document)
  const unlisten = context.onSignal(['SIGWINCH'], draw)
  const unlistenKeys = context.onKey(key => view.press(key, answers.document))
  context.write(ENTER)
  try {
    while (!stop.aborted) {
      draw()
      await pause(watch.every, stop)
      await refresh(watch, answers)
      view.take(answers.document)
    }
  } finally {
    unlisten()
    unlistenKeys()
    context.write(LEAVE)
  }
}

async function printLines(watch: Watch, answers: Answers, stop: AbortSignal): Promise<void> {
  const { context, intro } = watch
  const { width, colour } = context.screen
  const table = renderStatus(answers.document, { width, colour, now: Date.now() })
  if (!watch.isJson) context.print(`${[intro, table].filter(Boolean).join('\n\n')}\n`)
  while (!stop.aborted && context.hasReader()) {
    await pause(watch.every, stop)
    for (const line of await refresh(watch, answers))
      watch.isJson ? context.printData(line) : context.print(line)
  }
}

/** Fetches the status again. Returns a line for each change since the last answer. */
async function refresh({ fetch, context, isJson = false }: Watch, answers: Answers): Promise<string[]> {
  const now = Date.now()
  const own = (text: string) =>
    isJson
      ? JSON.stringify({ kind: 'lvsd', at: new Date(now).toISOString(), message: text })
      : `${dateTime(now)}  ${text}`
  try {
    const document = await fetch()
    const news = isJson
      ? changesBetween(answers.document, document).map(change => JSON.stringify(change))
      : transitionLines(answers.document, document, {
          colour: context.screen.colour,
          // In a window the date would take the place of the reason.
          time: context.screen.isTerminal ? at => shortTime(at, now) : dateTime,
        })
    answers.recent = [...answers.recent, ...news].slice(-RECENT)
    answers.document = document
    const wasTroubled = answers.trouble !== null
    answers.trouble = null
    return wasTroubled ? [own('lvsd answers again'), ...news] : news
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const isNew = answers.trouble !== error.message
    answers.trouble = error.message
    return isNew ? [own(error.message)] : []
  }
}
