/** A running lvsd with little web servers, and its page in headless Chromium. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { addToken, fetchStatus, requestReload } from '../../src/api/client.js'
import { packageRoot } from '../../src/system/version.js'
import { buildPage, compiled } from './compile.js'
import { refusedPort } from './servers.js'
import { until } from './until.js'

export const CHROMIUM = '/usr/bin/chromium'

/** A web server that can fail. */
export interface LittleServer {
  readonly name: string
  isFailing: boolean
}

export interface Stage {
  readonly count?: number
  readonly many?: number
  readonly services?: (servers: readonly LittleServer[]) => string
}

export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'lvsd-page-'))
  readonly socket = join(this.folder, 'lvsd.sock')
  readonly servers: LittleServer[] = []
  url = ''
  /** Simulated connections per second and service. */
  traffic = 0
  readonly #listening: Server[] = []
  #daemon: ChildProcess | null = null
  #config = ''

  /**
   * Starts the servers and lvsd. `many` are further real servers of a service of that name, which are all checked at the
   * first server. `services` writes other services in place of these.
   */
  async start({ count = 4, many = 0, services }: Stage = {}): Promise<void> {
    for (let i = 0; i < count; i++) await this.#serve()
    const listen = `[::1]:${await refusedPort()}`
    this.url = `http://${listen}/`
    this.#config = join(this.folder, 'site.yaml')
    // The servers are in the process of the test, which a busy machine delays: no server must be down because of that.
    writeFileSync(
      this.#config,
      `settings: { socket: ${this.socket}, state: ${this.folder} }
api: { listen: ['${listen}'] }
defaults: { check: { kind: http, interval: 200ms, timeout: 20s, fall: 1 } }
services:
${services ? services(this.servers) : this.#services(many)}
`,
    )
    await this.run()
  }

  #services(many: number): string {
    const names = this.servers.map(({ name }) => `'${name} masq 5'`)
    const first = Number(this.servers[0]?.name.split(':').at(-1))
    const others = Array.from(
      { length: many },
      (_, i) =>
        `    - { address: '[2001:db8:1::${(i + 1).toString(16)}]:80', check: { kind: http, checkport: ${first}, checkaddress: '::1', interval: 60s } }`,
    )
    return `  web:
    virtual: '[2001:db8::80]:80'
    reals: [${names.join(', ')}]
  spare:
    virtual: '[2001:db8::81]:80'
    reals: ['${this.servers[0]?.name}']
${many > 0 ? `  many:\n    virtual: '[2001:db8::82]:80'\n    reals:\n${others.join('\n')}` : ''}`
  }

  /** Starts lvsd, also again. */
  async run(): Promise<void> {
    const words = [compiled('main'), 'run', '--kernel', 'memory', this.#config]
    const env = { ...process.env, LVSD_DEMO_TRAFFIC: String(this.traffic) }
    this.#daemon = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const isReady = async () => (await fetchStatus(this.socket)).totals.unknown === 0
    await until(() => isReady().catch(() => false), { patience: 60_000, what: () => 'the daemon is ready' })
  }

  async kill(): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = null
    if (!daemon) return
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
  }

  /** Makes lvsd refuse a reload, or accept one again. */
  async reload(isRefused: boolean): Promise<void> {
    const text = readFileSync(this.#config, 'utf8').replace(/^broken: .*\n/m, '')
    writeFileSync(this.#config, isRefused ? `broken: true\n${text}` : text)
    await requestReload(this.socket, false)
  }

  async token(name: string, role: 'read' | 'operate'): Promise<string> {
    return (await addToken(this.socket, { name, role, until: null })).token
  }

  async stop(): Promise<void> {
    await this.kill()
    for (const server of this.#listening) server.closeAllConnections()
    for (const server of this.#listening) server.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #serve(): Promise<void> {
    const server = createServer((_request, response) =>
      response.writeHead(own.isFailing ? 503 : 200).end('ok'),
    )
    this.#listening.push(server)
    server.listen(0, '::1')
    await once(server, 'listening')
    const own: LittleServer = { name: `[::1]:${(server.address() as AddressInfo).port}`, isFailing: false }
    this.servers.push(own)
  }
}

/** Starts the browser. The page is built first if a source is newer. */
export function launch(): Promise<Browser> {
  buildPage(packageRoot)
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
}

/** Opens the page with a token. What the browser complains about is collected in `complaints`. */
export async function openPage(
  browser: Browser,
  url: string,
  token: string | null,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error.stack)))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  if (token !== null)
    await page.addInitScript(`sessionStorage.setItem('lvsd token', ${JSON.stringify(token)})`)
  await page.goto(url)
  return { page, complaints }
}

/** Asserts that the text appears somewhere on the page. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  const found = page.getByText(text).first()
  await found.waitFor({ state: 'visible', timeout: 30_000 }).catch(async () => {
    assert.fail(`${text} is not on the page:\n${await page.locator('body').textContent()}`)
  })
}
