/** The page of a director that is one of two, with a real Redis: who is there, what they share, what is done without Redis. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { addToken } from '../../../src/api/client.js'
import { compiled } from '../../support/compile.js'
import { DirectorProcess } from '../../support/director-process.js'
import { aclServer, type RedisServer, redisProgram } from '../../support/redis-server.js'
import { refusedPort } from '../../support/servers.js'
import { until } from '../../support/until.js'
import { CHROMIUM, launch, openPage, sees } from '../../support/web.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder for pictures to look at; none are taken without it. */
const PICTURES = process.env.DIRECTORS_PICTURES
const SERVICES = `web:
  virtual: '[2001:db8::80]:80'
  check: on
  reals: ['[2001:db8:1::11]:80 gate 5', '[2001:db8:1::12]:80 gate 5']
mail:
  virtual: '[2001:db8::25]:25'
  check: { kind: connect, interval: 1s }
  reals: ['[::1]:8001', '[::1]:8002', '[::1]:8003', '[::1]:8004']
`

describe('the page of several directors', function () {
  this.timeout(180_000)
  const patience = 60_000
  let browser: Browser
  let redis: RedisServer
  let file = ''

  before(async function () {
    // In CI a test that is left out is a failure.
    if (!existsSync(CHROMIUM)) this.skip()
    file = redisProgram(() => this.skip())
    browser = await launch()
  })
  after(() => browser?.close())

  async function directors() {
    redis = await aclServer(file)
    const listen = `[::1]:${await refusedPort()}`
    // The files of the page are beside the compiled files, in dist, and not beside the bundle of the tests.
    const main = compiled('main')
    const parts = { main, redis: redis.port, services: SERVICES, cluster: 'observers: 2\nheartbeat: 300ms\n' }
    const one = new DirectorProcess({ ...parts, more: `api: { listen: ['${listen}'] }\n` }).start()
    const other = new DirectorProcess(parts).start()
    await until(async () => (await one.sharing())?.directors.length === 2, { patience })
    const { token } = await addToken(one.socket, { name: 'anna', role: 'operate', until: null })
    return { one, other, token, url: `http://${listen}/` }
  }

  const rows = (page: Page) => page.locator('.directors tbody tr').allInnerTexts()

  it('has a director that is gone as gone, and what each says of the shared checks', async () => {
    const { other, token, url } = await directors()
    const { page, complaints } = await openPage(browser, url, token)
    await sees(page, /2 directors run each check: this one runs 6 and hears of 0\./)
    await until(async () => (await rows(page)).every(row => /\b6, \d+\.\d s/.test(row)), {
      patience,
      what: () => 'both have verdicts',
    })
    await other.kill()
    await until(async () => /\bgone\b/.test((await rows(page))[1] ?? ''), { patience })
    assert.equal((await rows(page)).length, 2)
    other.start()
    await until(async () => /\bactive\b/.test((await rows(page))[1] ?? ''), { patience })
    assert.deepEqual(complaints, [])
  })

  it('asks before it changes this director alone, while Redis is away', async () => {
    const { one, token, url } = await directors()
    const { page } = await openPage(
      browser,
      `${url}#/real/web/${encodeURIComponent('[2001:db8:1::11]:80')}`,
      token,
    )
    await page.getByRole('button', { name: 'Drain…' }).waitFor()
    redis.signal('SIGSTOP')
    await until(async () => (await one.status())?.cluster?.redis?.state === 'away', { patience })
    await page.getByRole('button', { name: 'Drain…' }).click()
    await page.getByRole('button', { name: 'Drain', exact: true }).click()
    await sees(
      page,
      'The Redis of the site cannot be used: the other directors would not know. Nothing has changed.',
    )
    const override = async () => (await one.status())?.services[0]?.reals[0]?.override
    assert.equal(await override(), null)
    await page.getByLabel('On this director alone now').check()
    if (PICTURES) await page.screenshot({ path: join(PICTURES, 'local.png') })
    await page.getByRole('button', { name: 'Drain', exact: true }).click()
    await until(async () => (await override())?.who === 'token anna', { patience })
    redis.signal('SIGCONT')
  })

  it('is read by everybody: no violation that axe finds, in both themes, wide and narrow', async () => {
    const { one, other, token, url } = await directors()
    await other.kill()
    await until(async () => (await one.status())?.cluster?.directors[1]?.goneAt != null, { patience })
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [375, 1440]) {
        const options = { colorScheme, viewport: { width, height: 900 }, bypassCSP: true }
        const { page } = await openPage(browser, url, token, options)
        await sees(page, 'Directors of berlin')
        if (PICTURES)
          await page.locator('.directors').screenshot({ path: join(PICTURES, `${colorScheme}-${width}.png`) })
        await page.addScriptTag({ content: AXE })
        const found = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
          }
          const { violations } = await axe.run()
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
        })
        assert.deepEqual(found, [], `${colorScheme} ${width}`)
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        assert.ok(Number(overflow) <= 0, `${overflow} px too wide at ${width}`)
        await page.context().close()
      }
  })
})
