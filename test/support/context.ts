/** A command's rims for tests: what it prints is kept, signals are sent by hand. */
import type { CommandContext } from '../../src/cli/command.js'

export interface TestContext {
  readonly context: Omit<CommandContext, 'options' | 'arguments'>
  readonly out: () => string
  readonly err: () => string
  /** As if the process had received it. */
  send(signal: NodeJS.Signals): void
  /** As if somebody had pressed it. */
  press(key: string): void
  /** From now on nobody reads standard output. */
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
