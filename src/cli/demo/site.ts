/** The site of the demo: its servers, and a configuration for them. */
import { freePort, lineServer, MOODS, unsteadyServer, webServer } from './servers.js'

export interface DemoSite {
  /** The configuration, YAML. */
  readonly yaml: string
  /** Port of the server that fails and recovers. */
  readonly unsteadyPort: number
  /** Port of ::1 on which the daemon serves the page. */
  readonly pagePort: number
  /** Starts the sequence of moods of the unsteady server. */
  start(): void
  close(): void
}

/** Milliseconds from the start to the first failure, and then between two changes of mood. */
export const FIRST_FAILURE = 4000
export const MOOD_LASTS = 8000

/** Opens the servers. All answer correctly at first. */
export async function startSite(folder: string): Promise<DemoSite> {
  const web = await Promise.all([webServer(), webServer(), webServer()])
  const unsteady = await unsteadyServer()
  const lines = await Promise.all([lineServer(), lineServer()])
  let next = 0
  const changeMood = () => void unsteady.feel(MOODS[next++ % MOODS.length] ?? 'well').catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const [first, second, spare] = web
  const pagePort = await freePort()
  return {
    yaml: yamlFor(folder, {
      web: [first, second, unsteady].map(server => server?.port ?? 0),
      fallback: spare?.port ?? 0,
      lines: lines.map(({ port }) => port),
      page: pagePort,
    }),
    unsteadyPort: unsteady.port,
    pagePort,
    start() {
      timer = setTimeout(() => {
        changeMood()
        timer = setInterval(changeMood, MOOD_LASTS)
      }, FIRST_FAILURE)
    },
    close() {
      clearTimeout(timer)
      for (const server of [...web, unsteady, ...lines]) server.close()
    },
  }
}

interface Ports {
  readonly web: readonly number[]
  readonly fallback: number
  readonly lines: readonly number[]
  readonly page: number
}

/**
 * Returns the configuration. Virtual addresses have the documentation prefix; with the memory table they are not used.
 */
export function yamlFor(folder: string, { web, fallback, lines, page }: Ports): string {
  return `# The site of lvsd's demo. Real servers are little servers on ::1.
settings:
  socket: ${JSON.stringify(`${folder}/lvsd.sock`)}
  state: ${JSON.stringify(`${folder}/state`)}

api:
  listen: ['[::1]:${page}'] # the page, and the API for programs; each request needs a token

services:
  web:
    virtual: '[2001:db8::80]:80'
    scheduler: wlc
    check: { kind: http, request: /health, receive: ok, interval: 1s, timeout: 900ms, fall: 2, fastinter: 500ms }
    reals:
${web.map((port, i) => `      - '[::1]:${port} masq ${i + 1}'`).join('\n')}
    fallback: '[::1]:${fallback}'

  cache:
    virtual: '[2001:db8::80]:6379'
    scheduler: rr
    quiescent: true # a failed server stays in the table with weight 0
    check: { kind: simpletcp, request: "PING\\r\\n", receive: PONG, interval: 1s, timeout: 900ms }
    reals:
${lines.map(port => `      - '[::1]:${port}'`).join('\n')}
`
}
