/** A context for commands in tests: records the output, and lets the test send signals and keys. */
import type { CommandContext } from '../../src/cli/command.js'

export interface TestContext {
  readonly context: Omit<CommandContext, 'options' | 'arguments'>
  readonly out: () => string
  readonly err: () => string
  /** Simulates a received signal. */
  send(signal: NodeJS.Signals): void
  /** Simulates a pressed key. */
  press(key: string): void
  /** Simulates that the reader of standard output is gone. */
  leave(): void
}

export function testContext(screen: Partial<CommandContext['screen']> = {}): TestContext {
  let out = ''
  let err = ''
  const handlers = new Map<NodeJS.Signals, Set<(name: NodeJS.Signals) => void>>()
  const keys = new Set<(key: string) => void>()
  let hasReader = true
  const line = (text: string) => (text.endsWith('\n') ? text : `${text}\n`)
  return {
    out: () => out,
    err: () => err,
    send: signal => {
      for (const handler of handlers.get(signal) ?? []) handler(signal)
    },
    press: key => {
      for (const handler of keys) handler(key)
    },
    leave: () => {
      hasReader = false
    },
    context: {
      env: {},
      screen: { isTerminal: false, width: 100, height: null, colour: false, ...screen },
      print: text => {
        out += line(text)
      },
      printData: text => {
        out += line(text)
      },
      write: text => {
        out += text
      },
      warn: text => {
        err += line(text)
      },
      onSignal: (names, handler) => {
        for (const name of names) handlers.set(name, (handlers.get(name) ?? new Set()).add(handler))
        return () => {
          for (const name of names) handlers.get(name)?.delete(handler)
        }
      },
      onKey: handler => {
        keys.add(handler)
        return () => keys.delete(handler)
      },
      outputClosed: new AbortController().signal,
      hasReader: () => hasReader,
    },
  }
}
