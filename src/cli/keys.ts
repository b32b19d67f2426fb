/** Reads single keys from a terminal, without Enter. */

/** A sequence that a terminal sends for one key, such as ESC [ A for the arrow up; else one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: such sequences begin with the escape character
const KEY = /\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Za-z]|./gsu

const CTRL_C = '\u0003'
const CTRL_Z = '\u001a'

/**
 * Calls `handler` with each key, an arrow key as its whole sequence, until the returned function is called. Ctrl-C and Ctrl-Z still send their signals.
 * Nothing is read if standard input is not a terminal.
 */
export function onKeys(handler: (key: string) => void, input: NodeJS.ReadStream = process.stdin): () => void {
  if (!input.isTTY) return () => {}
  const raw = (isRaw: boolean) => {
    try {
      input.setRawMode(isRaw)
    } catch {
      // The terminal is gone; the process receives a signal about this.
    }
  }
  const onData = (data: Buffer | string) => {
    for (const key of String(data).match(KEY) ?? [])
      if (key === CTRL_C) process.kill(process.pid, 'SIGINT')
      else if (key === CTRL_Z) suspend(raw)
      else handler(key)
  }
  raw(true)
  input.on('data', onData)
  return () => {
    input.off('data', onData)
    raw(false)
    input.pause()
  }
}

/** Stops the process as the terminal does for Ctrl-Z. Reads keys again when the shell continues it (SIGCONT). */
function suspend(raw: (isRaw: boolean) => void): void {
  raw(false)
  process.once('SIGCONT', () => raw(true))
  process.kill(process.pid, 'SIGTSTP')
}
