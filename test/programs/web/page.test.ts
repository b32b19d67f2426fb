/** The page in a real browser, with a running lvsd and real little servers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { endOverrides, fetchStatus } from '../../../src/api/client.js'
import { ALL_EFFECTS } from '../../../src/cli/override-command.js'
import { until } from '../../support/until.js'
import { CHROMIUM, launch, openPage, Site, sees } from '../../support/web.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe('the page', function () {
  this.timeout(120_000)
  const site = new Site()
  let browser: Browser
  let operator = ''
  let reader = ''

  before(async function () {
    // In CI a test that is left out is a failure.
    if (!existsSync(CHROMIUM)) this.skip()
    await site.start()
    browser = await launch()
    operator = await site.token('anna', 'operate')
    reader = await site.token('guest', 'read')
  })

  after(async () => {
    await browser?.close()
    await site.stop()
  })

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    for (const server of site.servers) server.isFailing = false
    const targets = [
      { service: 'web', real: null },
      ...site.servers.map(({ name }) => ({ service: 'web', real: name })),
    ]
    await endOverrides(site.socket, { targets, effects: [...ALL_EFFECTS] })
  })

  const server = (i: number) => {
    const found = site.servers[i]
    assert.ok(found)
    return found
  }
  const card = (page: Page, name: string) =>
    page.locator('.card').filter({ has: page.getByRole('link', { name, exact: true }) })

  it('shows a server that goes down and comes back, without a reload', async () => {
    const { page, complaints } = await openPage(browser, site.url, operator)
    await sees(page, 'All services are healthy')
    await page.evaluate(() => Object.assign(globalThis, { isSame: true }))
    server(1).isFailing = true
    await card(page, 'web').getByText(server(1).name).waitFor()
    await sees(page, 'web has failed real servers')
    await sees(card(page, 'web').page(), /503/)
    server(1).isFailing = false
    await sees(page, 'All services are healthy')
    assert.equal(await page.evaluate(() => 'isSame' in globalThis), true)
    assert.deepEqual(complaints, [])
  })

  it('drains by a click, after a question that says what will change', async () => {
    const { page, complaints } = await openPage(
      browser,
      `${site.url}#/real/web/${encodeURIComponent(server(2).name)}`,
      operator,
    )
    await page.getByRole('button', { name: 'Drain…' }).click()
    await sees(page, /Its weight changes from 5 to 0\..*New connections go to the other 3 real servers\./)
    await page.getByLabel('Reason').fill('disk swap')
    await page.getByLabel('For').selectOption({ label: '2 hours' })
    await page.getByRole('button', { name: 'Drain', exact: true }).click()
    await sees(page, /drained by token anna/)
    const real = async () => {
      const { services } = await fetchStatus(site.socket)
      return services[0]?.reals.find(({ name }) => name === server(2).name)
    }
    await until(async () => (await real())?.weight.kernel === 0)
    const { override } = (await real()) ?? {}
    assert.deepEqual(
      [override?.who, override?.reason, override?.effect],
      ['token anna', 'disk swap', 'drain'],
    )
    assert.ok(override?.until)
    await page.getByRole('button', { name: 'Enable…' }).click()
    await sees(page, 'The override of token anna ends: drained. The checks decide again.')
    await page.getByRole('button', { name: 'Enable', exact: true }).click()
    await until(async () => (await real())?.weight.kernel === 5)
    assert.deepEqual(complaints, [])
  })

  it('drains all addresses of a server, or one alone, and enables them', async () => {
    const dual = new Site()
    try {
      const services = ([a, b, c]: readonly { readonly name: string }[]) => `  web:
    virtual: '[2001:db8::80]:80'
    forwarding: masq
    reals: [{ address: ['${a?.name}', '${b?.name}'] }, '${c?.name}']`
      await dual.start({ count: 3, services })
      const token = await dual.token('anna', 'operate')
      const [one, two] = dual.servers.map(({ name }) => name)
      const address = `${dual.url}#/real/web/${encodeURIComponent(two ?? '')}`
      const { page, complaints } = await openPage(browser, address, token)
      const weights = (expected: readonly number[]) =>
        until(async () => {
          const { services } = await fetchStatus(dual.socket)
          return (
            JSON.stringify(services[0]?.reals.map(({ weight }) => weight.kernel)) === JSON.stringify(expected)
          )
        })
      const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
      await press('Drain…')
      await sees(page, `Drain web/${one} and web/${two}?`)
      await sees(page, /New connections go to the other 1 real server\./)
      await press('Drain')
      await weights([0, 0, 1])
      await press('Enable…')
      await sees(page, `Enable web/${one} and web/${two}?`)
      await sees(page, '2 overrides of operators end.')
      await press('Enable')
      await weights([1, 1, 1])
      await press('Drain…')
      await page.getByLabel(`${two} alone`).check()
      await sees(page, `Drain web/${two}?`)
      await press('Drain')
      await weights([1, 0, 1])
      assert.deepEqual(complaints, [])
    } finally {
      await dual.stop()
    }
  })

  it('shows the last runs of a check phase by phase, its sentinel, and what hinted it last', async () => {
    const watched = createServer((_request, response) => response.end('ok'))
    const own = new Site()
    try {
      watched.listen(0, '::1')
      await once(watched, 'listening')
      const name = `[::1]:${(watched.address() as AddressInfo).port}`
      const services = () => `  web:
    virtual: '[2001:db8::80]:80'
    forwarding: masq
    check: { kind: http, interval: 200ms, timeout: 2s, fall: 1, sentinel: true }
    reals: ['${name}']`
      await own.start({ count: 1, services })
      const address = `${own.url}#/real/web/${encodeURIComponent(name)}`
      const { page, complaints } = await openPage(browser, address, await own.token('anna', 'read'))
      const fact = (label: string) =>
        page.locator(`dt:text-is("${label}") + dd`).textContent({ timeout: 20_000 })
      const says = (label: string, pattern: RegExp) =>
        until(async () => pattern.test((await fact(label)) ?? ''), { what: () => `${label}: ${pattern}` })
      await says('Sentinel', /^watches since [0-9:]+$/)
      const before = page.getByRole('list', { name: 'Earlier runs' }).getByRole('listitem')
      await until(async () => (await before.count()) === 4)
      assert.match(
        (await before.first().textContent()) ?? '',
        /^[0-9:]+: connect [0-9.]+ ms, first byte [0-9.]+ ms, .*; [0-9.]+ ms in all$/,
      )
      assert.equal(await page.getByText('Last hint').count(), 0)
      watched.closeAllConnections()
      await says('Last hint', /checked early: the idle connection to the server was (closed|reset) after/)
      watched.close()
      watched.closeAllConnections()
      await says('Knocking', /the check comes as soon as the server listens/)
      await page.locator('.results').getByText('checked early: ').first().waitFor()
      assert.deepEqual(complaints, [])
    } finally {
      watched.closeAllConnections()
      watched.close()
      await own.stop()
    }
  })

  it('is used with the keyboard alone', async () => {
    const { page } = await openPage(browser, site.url, operator)
    await sees(page, 'All services are healthy')
    const { keyboard } = page
    await keyboard.press('j')
    await keyboard.press('Enter')
    await sees(page, '4 of 4 real servers up')
    await page.getByRole('button', { name: 'Drain…' }).focus()
    await keyboard.press('Enter')
    await sees(page, 'Drain web?')
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await keyboard.press('j')
    await keyboard.press('d')
    await sees(page, /Drain web\/\[::1\]:\d+\?/)
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await keyboard.press('/')
    await keyboard.type(server(3).name)
    await sees(page, '1 real server')
    await keyboard.press('Escape')
    await keyboard.press('j')
    await keyboard.press('Enter')
    await sees(page, 'Expects')
    await keyboard.press('?')
    await sees(page, 'next, previous service or real server')
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await keyboard.press('2')
    await page.getByRole('heading', { name: 'Events' }).waitFor()
  })

  it('lets a token that reads see, and says what it may not do', async () => {
    const { page } = await openPage(browser, `${site.url}#/service/web`, reader)
    await page.getByRole('button', { name: 'Drain…' }).click()
    await page.getByRole('button', { name: 'Drain', exact: true }).click()
    await sees(page, /A token with the role operate is needed\./)
    assert.equal((await fetchStatus(site.socket)).services[0]?.reals[0]?.override, null)
  })

  it('asks for a token, and opens with it', async () => {
    const { page } = await openPage(browser, site.url, null)
    await sees(page, 'A token is needed')
    await page.getByLabel('Token', { exact: true }).fill(reader)
    await page.getByRole('button', { name: 'Open' }).click()
    await sees(page, 'All services are healthy')
  })

  it('has the places that the README names', async () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    const table = readme.slice(readme.indexOf('| What you want |')).split('\n\n', 1)[0] ?? ''
    const places = table
      .split('\n')
      .slice(2)
      .map(row => row.split(' | ').at(-1) ?? '')
    const buttons = places.flatMap(place => [...place.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => name))
    const views = places.flatMap(place => /^(Overview|Events|Plan|Director)/.exec(place)?.[1] ?? [])
    assert.ok(buttons.length >= 3 && new Set(views).size === 4)
    const { page } = await openPage(browser, `${site.url}#/service/web`, operator)
    for (const name of new Set(buttons)) await page.getByRole('button', { name, exact: true }).waitFor()
    for (const name of new Set(views)) await page.getByRole('link', { name, exact: true }).waitFor()
  })

  it('takes a token out of its address, and keeps it for the tab', async () => {
    const { page, complaints } = await openPage(browser, `${site.url}#token=${reader}`, null)
    const asked: string[] = []
    page.on('request', request => asked.push(request.url()))
    await sees(page, 'All services are healthy')
    await page.reload()
    await sees(page, 'All services are healthy')
    assert.equal(page.url(), `${site.url}#/`)
    await page.evaluate(`location.assign('#token=${operator}')`)
    await page.waitForURL(`${site.url}#/`)
    assert.equal(await page.evaluate("sessionStorage.getItem('lvsd token')"), operator)
    await page.goBack()
    assert.equal(page.url(), `${site.url}#/`)
    assert.ok(asked.length > 0 && asked.every(url => !url.includes('lvsd_')))
    assert.deepEqual(complaints, [])
  })

  it('plans a reload, shows events, and examines the machine', async () => {
    const { page, complaints } = await openPage(browser, `${site.url}#/plan`, operator)
    await sees(page, 'Nothing changes in the table.')
    await page.getByRole('link', { name: 'Events' }).click()
    await sees(page, 'daemon.started')
    await sees(page, /^\d{4}-\d\d-\d\d, (UTC|[+-]\d\d:\d\d)$/)
    await page.getByLabel('Level').selectOption('error')
    await sees(page, 'No event.')
    await page.getByRole('link', { name: 'Director' }).click()
    await sees(page, /findings?: \d+ to read, \d+ in order/)
    assert.deepEqual(complaints, [])
  })

  it('is read by everybody: no violation that axe finds, in both themes, wide and narrow', async () => {
    server(0).isFailing = true
    await site.reload(true)
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 320],
    ] as const) {
      const { page } = await openPage(browser, site.url, operator, {
        colorScheme,
        viewport: { width, height: 800 },
        bypassCSP: true,
      })
      await page.addScriptTag({ content: AXE })
      await sees(page, /A reload was refused/)
      for (const hash of [
        '#/',
        '#/service/web',
        `#/real/web/${encodeURIComponent(server(0).name)}`,
        '#/events',
        '#/plan',
        '#/director',
      ]) {
        await page.evaluate(`location.assign(${JSON.stringify(hash)})`)
        await page.locator('.empty').waitFor({ state: 'detached' })
        const found = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
          }
          const { violations } = await axe.run()
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
        })
        assert.deepEqual(found, [], `${hash} ${colorScheme} ${width}`)
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        assert.ok(Number(overflow) <= 0, `${hash} is ${overflow} px too wide at ${width}`)
      }
      await page.context().close()
    }
    await site.reload(false)
  })

  it('says that the connection is lost, and goes on when it is back', async () => {
    const { page } = await openPage(browser, site.url, operator)
    await sees(page, 'All services are healthy')
    await site.kill()
    await sees(page, /Not connected for .*The page shows the last known state/)
    await sees(page, 'not connected')
    await site.run()
    // The tokens of the memory table end with the process.
    await sees(page, 'A token is needed')
    operator = await site.token('anna', 'operate')
    await page.getByLabel('Token', { exact: true }).fill(operator)
    await page.getByRole('button', { name: 'Open' }).click()
    await sees(page, 'All services are healthy')
    await page.locator('.banner').waitFor({ state: 'detached' })
  })
})
