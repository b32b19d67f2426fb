/** Single keys of a terminal, without Enter. */

const CTRL_C = '\u0003'
const CTRL_Z = '\u001a'

/**
 * Calls `handler` with each key until the function that it gives is called. The keys that a terminal turns into signals
 * go on to do so. Nothing is read where standard input is no terminal, or another process group has it.
 */
export function onKeys(handler: (key: string) => void, input: NodeJS.ReadStream = process.stdin): () => void {
  if (!input.isTTY) return () => {}
  const raw = (isRaw: boolean) => {
    try {
      input.setRawMode(isRaw)
    } catch {
      // The terminal has gone: a signal says so.
    }
  }
  const onData = (data: Buffer | string) => {
    for (const key of String(data))
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

/** As the terminal would do it; keys are read again when the shell brings the command back. */
function suspend(raw: (isRaw: boolean) => void): void {
  raw(false)
  process.once('SIGCONT', () => raw(true))
  process.kill(process.pid, 'SIGTSTP')
}
