/** What all views share. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Client, Target } from './client.js'
import type { Live } from './live.js'

export type ActionKind = 'drain' | 'enable' | 'recheck'

export interface Page {
  readonly client: Client
  readonly live: Live
  /** Asks for a confirmation that says what will change, and then does it. */
  ask(action: ActionKind, target: Target): void
  /** A short text for people who see, and politely for those who hear. */
  say(text: string): void
}

export const PageContext = createContext<Page | null>(null)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('no page')
  return page
}
