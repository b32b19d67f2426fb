/** Runs a command in a terminal of a given size (`script` of util-linux), and shows what a person sees. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onCleanup } from './after-each.js'

export interface TerminalRun {
  /** The lines on the screen, and those that have left it at the top. */
  lines(): readonly string[]
  /** Types keys: `\u0003` is Ctrl-C. */
  type(keys: string): void
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>
}

export interface Size {
  readonly width: number
  readonly height: number
}

export function runInTerminal(
  words: readonly string[],
  { width, height }: Size,
  env: NodeJS.ProcessEnv = process.env,
): TerminalRun {
  const command = words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const line = `stty cols ${width} rows ${height}; exec ${command}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  onCleanup(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  return {
    lines: () => screenLines(text, width),
    type: keys => void child.stdin.write(keys),
    ended,
  }
}

/** What a sequence does: cursor up, erase to the end of the line or of the screen; colours and others do nothing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with the escape character
const PIECE = /\u001b\[(\??[\d;]*)([A-Za-z])|(\r)|(\n)|(.)/gsu

/** Plays the output of a program that writes at the bottom of the screen. A line that is too long wraps. */
export function screenLines(text: string, width: number): readonly string[] {
  const lines = ['']
  let [row, column] = [0, 0]
  const line = () => lines[row] ?? ''
  for (const [, count = '', sequence, isReturn, isNew, character] of text.matchAll(PIECE)) {
    if (sequence === 'A') row = Math.max(0, row - Number(count || 1))
    else if (sequence === 'K') lines[row] = line().slice(0, column)
    else if (sequence === 'J') lines.splice(row, Number.POSITIVE_INFINITY, line().slice(0, column))
    else if (isReturn) column = 0
    else if (isNew || (character && column === width)) {
      row++
      if (character) column = 0
      if (row === lines.length) lines.push('')
    }
    if (!character) continue
    lines[row] = line().padEnd(column).slice(0, column) + character + line().slice(column + 1)
    column++
  }
  return lines
}
