/**
 * Server-sent events, read with fetch, because EventSource cannot send a token. Resumes after the last id; waits longer
 * after each failure, up to a limit; reports each change of the connection.
 */
import { type StreamedEvent, StreamParser } from './stream-parser.js'

export interface StreamListener {
  /** The connection is open: events follow. */
  opened(): void
  event(event: StreamedEvent): void
  /** The connection is lost; the next attempt is at this time. */
  lost(reason: string, retryAt: number): void
}

/** Milliseconds before the first new attempt, and the longest. */
const RETRY = { first: 500, most: 10_000 } as const
/** Milliseconds without any byte after which the connection counts as lost. The daemon sends a heartbeat more often. */
const SILENCE = 20_000

/** Reads the stream until the signal is aborted. `open` starts a request after the event with this id. */
export async function follow(
  open: (lastId: string | null, signal: AbortSignal) => Promise<Response>,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let lastId: string | null = null
  let wait: number = RETRY.first
  while (!signal.aborted) {
    const attempt = new AbortController()
    const stop = () => attempt.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      const response = await open(lastId, attempt.signal)
      listener.opened()
      wait = RETRY.first
      await read(response, attempt, event => {
        lastId = event.id
        listener.event(event)
      })
      throw new Error('the director closed the connection')
    } catch (error) {
      if (signal.aborted) return
      listener.lost(messageOf(error), Date.now() + wait)
      await pause(wait, signal)
      wait = Math.min(wait * 2, RETRY.most)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
}

async function read(
  response: Response,
  attempt: AbortController,
  take: (event: StreamedEvent) => void,
): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  const parser = new StreamParser()
  let silence: ReturnType<typeof setTimeout> | undefined
  try {
    for (;;) {
      clearTimeout(silence)
      silence = setTimeout(() => attempt.abort(new Error('the director is silent')), SILENCE)
      const { value, done } = await reader.read()
      if (done) return
      for (const event of parser.take(value)) take(event)
    }
  } finally {
    clearTimeout(silence)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    // A network that is back is used at once.
    addEventListener('online', () => resolve(), { once: true, signal })
  })
}

function messageOf(error: unknown): string {
  const { message = '' } = error as Error
  return /failed to fetch|networkerror|load failed/i.test(message) ? 'the director does not answer' : message
}
