/** Runs a command in a pseudo-terminal (`script` of util-linux), and shows the screen as a person sees it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { onCleanup } from '../after-each.js'
import { temporaryFolder } from '../folder.js'
import type { Size } from '../terminal.js'
import { until } from '../until.js'

// An import of this package has another shape with tsx than without.
const xterm = createRequire(import.meta.url)('@xterm/headless') as typeof import('@xterm/headless')

export interface ScreenRun {
  /** The lines of the window, from the first to the last, without the blanks at their ends. */
  lines(): readonly string[]
  /** True if a line was longer than the window, so that it continues in the next one. */
  isWrapped(): boolean
  /** True on the alternate screen, which full-screen programs use. */
  isAlternate(): boolean
  isCursorShown(): boolean
  /** Types keys: `\u0003` is Ctrl-C. */
  type(keys: string): void
  resize(size: Size): Promise<void>
  /** Resolves when a line of the window matches. */
  shows(pattern: RegExp): Promise<void>
  /** Resolves to the exit code, and to the modes of the terminal (`stty -g`) before and after the command. */
  readonly ended: Promise<{ readonly code: number | null; readonly before: string; readonly after: string }>
}

/** `TERM` and the size are those of an xterm. The word `before` stands on the screen when the command starts. */
export function openScreen(
  words: readonly string[],
  { width, height }: Size,
  env: NodeJS.ProcessEnv,
): ScreenRun {
  const folder = temporaryFolder()
  const file = (name: string) => join(folder, name)
  const command = words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const line = [
    `stty cols ${width} rows ${height}`,
    `tty > ${file('tty')}`,
    `stty -g > ${file('before')}`,
    'echo before',
    command,
    'code=$?',
    `stty -g > ${file('after')}`,
    'exit $code',
  ].join('; ')
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onCleanup(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const terminal = new xterm.Terminal({ cols: width, rows: height, scrollback: 0, allowProposedApi: true })
  onCleanup(() => terminal.dispose())
  let isCursorShown = true
  for (const final of ['h', 'l'])
    terminal.parser.registerCsiHandler({ prefix: '?', final }, ([mode]) => {
      if (mode === 25) isCursorShown = final === 'h'
      return false
    })
  // The end of the output comes after the exit.
  const read = once(child.stdout, 'end')
  child.stdout.on('data', (data: Buffer) => terminal.write(data))
  const drawn = () => new Promise<void>(resolve => terminal.write('', resolve))
  const rows = () => {
    const { active } = terminal.buffer
    return Array.from({ length: terminal.rows }, (_, i) => active.getLine(active.viewportY + i))
  }
  const lines = () => rows().map(row => row?.translateToString(true).trimEnd() ?? '')
  return {
    lines,
    isWrapped: () => rows().some(row => row?.isWrapped),
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    isCursorShown: () => isCursorShown,
    type: keys => void child.stdin.write(keys),
    async resize(size) {
      await until(() => existsSync(file('tty')))
      terminal.resize(size.width, size.height)
      const tty = readFileSync(file('tty'), 'utf8').trim()
      execFileSync('stty', ['-F', tty, 'cols', String(size.width), 'rows', String(size.height)])
    },
    shows: pattern =>
      until(() => lines().some(text => pattern.test(text)), {
        what: () => `${pattern} in:\n${lines().join('\n')}`,
      }),
    ended: Promise.all([exited, read]).then(async ([[code]]) => {
      await drawn()
      const [before = '', after = ''] = ['before', 'after'].map(name => readFileSync(file(name), 'utf8'))
      return { code: code as number | null, before, after }
    }),
  }
}
