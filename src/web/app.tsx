/** The page: its head, the view of the address, the question, and what is said to those who hear. */

import { useEffect, useMemo, useState } from 'preact/hooks'
import type { EventRecord } from './api-types.js'
import { Client, type Target } from './client.js'
import { type Asked, Confirm } from './confirm.js'
import { type ActionKind, PageContext } from './context.js'
import { DirectorView } from './director-view.js'
import { EventsView } from './events-view.js'
import { Help } from './help.js'
import { useKeys } from './keyboard.js'
import { type Connection, Live } from './live.js'
import { Overview } from './overview.js'
import { PlanView } from './plan-view.js'
import { RealView } from './real-view.js'
import { type Route, routeOf, tokenOf } from './routes.js'
import { ServiceView } from './service-view.js'
import { useStore } from './store.js'
import { durationText } from './text.js'
import { TokenForm } from './token-form.js'

const client = new Client()
takeToken()
const live = new Live(client)

/** Keeps the token of the address for this tab, and takes it out of the address bar and the history at once. */
function takeToken(): boolean {
  const token = tokenOf(location.hash)
  if (token === null) return false
  client.token = token
  history.replaceState(null, '', '#/')
  return true
}

/** Events that are worth interrupting nobody for, but telling. */
const SPOKEN = /^(real|service|director|override|reload)\./
/** Milliseconds for which a short text is shown. */
const SAID_FOR = 5000

export function App() {
  const route = useRoute()
  const [asked, setAsked] = useState<Asked | null>(null)
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [said, say] = useSaid()
  const connection = useStore(live.connection)
  const overview = useStore(live.overview)
  useEffect(() => live.start(), [])
  useEffect(() => {
    document.title = titleOf(route, overview?.totals.down ?? 0, overview?.host ?? '')
  }, [route, overview])
  const ask = (action: ActionKind, target: Target) => {
    if (action === 'recheck') void recheck(target, say)
    else setAsked({ action, target })
  }
  const page = useMemo(() => ({ client, live, ask, say }), [])
  useKeys({
    '?': () => setHelpOpen(true),
    1: () => location.assign('#/'),
    2: () => location.assign('#/events'),
    3: () => location.assign('#/plan'),
    4: () => location.assign('#/director'),
  })
  return (
    <PageContext.Provider value={page}>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <Head
        route={route}
        connection={connection}
        host={overview?.host ?? ''}
        openHelp={() => setHelpOpen(true)}
      />
      <Banner connection={connection} />
      <main id="main" tabIndex={-1} class={connection.kind === 'lost' ? 'old' : ''}>
        {connection.kind === 'refused' ? <TokenForm /> : <View route={route} />}
      </main>
      {asked && <Confirm asked={asked} close={() => setAsked(null)} />}
      {isHelpOpen && <Help close={() => setHelpOpen(false)} />}
      <output class={`said${said === '' ? ' spoken' : ''}`}>{said}</output>
      <News />
    </PageContext.Provider>
  )
}

function skip() {
  document.getElementById('main')?.focus()
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'overview':
      return <Overview />
    case 'service':
      return <ServiceView key={route.service} name={route.service} />
    case 'real':
      return <RealView key={`${route.service} ${route.real}`} service={route.service} real={route.real} />
    case 'events':
      return <EventsView route={route} />
    case 'plan':
      return <PlanView />
    case 'director':
      return <DirectorView />
  }
}

interface HeadProps {
  readonly route: Route
  readonly connection: Connection
  readonly host: string
  readonly openHelp: () => void
}

function Head({ route, connection, host, openHelp }: HeadProps) {
  const links = [
    ['overview', '#/', 'Overview'],
    ['events', '#/events', 'Events'],
    ['plan', '#/plan', 'Plan'],
    ['director', '#/director', 'Director'],
  ] as const
  const view = route.view === 'service' || route.view === 'real' ? 'overview' : route.view
  return (
    <header class="top">
      <span class="brand">
        lvsd <span class="dim">{host}</span>
      </span>
      <nav aria-label="Views">
        {links.map(([name, href, text]) => (
          <a key={name} href={href} aria-current={name === view ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <span class="right">
        <ConnectionMark connection={connection} />
        <button type="button" onClick={openHelp} aria-label="Keys" title="Keys (?)">
          ?
        </button>
        <ThemeButton />
      </span>
    </header>
  )
}

const WORDS = { connecting: 'connecting', live: 'live', lost: 'not connected', refused: 'no access' } as const
const SHAPES = { connecting: '◌', live: '●', lost: '✕', refused: '✕' } as const

function ConnectionMark({ connection: { kind } }: { connection: Connection }) {
  return (
    <span class={`connection ${kind}`}>
      <span aria-hidden="true">{SHAPES[kind]} </span>
      {WORDS[kind]}
    </span>
  )
}

/** Says that what is shown is old, and since when. */
function Banner({ connection }: { connection: Connection }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (connection.kind !== 'lost') return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [connection.kind])
  if (connection.kind !== 'lost') return null
  const { since, reason, retryAt } = connection
  const wait = Math.max(0, retryAt - now)
  return (
    <div class="banner" role="alert">
      Not connected for {durationText(now - since)}: {reason}. The page shows the last known state
      {wait > 1000 ? `; next attempt in ${durationText(wait)}` : ''}.{' '}
      <button type="button" onClick={() => live.start()}>
        Try now
      </button>
    </div>
  )
}

function ThemeButton() {
  const [theme, setTheme] = useState(localStorage.getItem('theme') ?? '')
  useEffect(() => {
    if (theme === '') document.documentElement.removeAttribute('data-theme')
    else document.documentElement.setAttribute('data-theme', theme)
    localStorage.setItem('theme', theme)
  }, [theme])
  const next = { '': 'dark', dark: 'light', light: '' }[theme] ?? ''
  const name = theme === '' ? 'as the system' : theme
  return (
    <button
      type="button"
      onClick={() => setTheme(next)}
      aria-label={`Colours: ${name}`}
      title={`Colours: ${name}`}
    >
      <span aria-hidden="true">{theme === 'dark' ? '☾' : theme === 'light' ? '☀' : '◐'}</span>
    </button>
  )
}

/** Tells screen readers of each change, politely. */
function News() {
  const [newest] = useStore(live.events)
  const text = newest && SPOKEN.test(newest.event) ? wordsOf(newest) : ''
  return (
    <div class="spoken" aria-live="polite" role="status">
      {text}
    </div>
  )
}

function wordsOf({ service, real, msg }: EventRecord): string {
  return [service, real, msg].filter(part => typeof part === 'string').join(' ')
}

async function recheck(target: Target, say: (text: string) => void): Promise<void> {
  try {
    const { checks, trouble } = await client.post<{ checks: number; trouble: string | null }>('v1/recheck', {
      targets: [target],
    })
    say(trouble ?? `${checks} ${checks === 1 ? 'check runs' : 'checks run'} now`)
  } catch (error) {
    say((error as Error).message)
  }
}

function useSaid(): [string, (text: string) => void] {
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (said === '') return
    const timer = setTimeout(() => setSaid(''), SAID_FOR)
    return () => clearTimeout(timer)
  }, [said])
  return [said, setSaid]
}

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const hear = () => {
      if (takeToken()) live.start()
      setHash(location.hash)
      scrollTo(0, 0)
    }
    addEventListener('hashchange', hear)
    return () => removeEventListener('hashchange', hear)
  }, [])
  return useMemo(() => routeOf(hash), [hash])
}

function titleOf(route: Route, down: number, host: string): string {
  const place =
    route.view === 'service' ? route.service : route.view === 'real' ? `${route.service}/${route.real}` : host
  return `${down > 0 ? `(${down} down) ` : ''}${place} · lvsd`
}
