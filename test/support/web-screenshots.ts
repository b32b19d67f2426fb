/**
 * Takes the screenshots of the README, in both themes: `node --import tsx test/support/web-screenshots.ts [FOLDER]`, after
 * `npm run build`. They are in src/web/pictures/, beside the sources of what they show: the packages contain dist, config
 * and deploy, and nobody who installs lvsd needs pictures.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { giveOverride } from '../../src/api/client.js'
import { packageRoot } from '../../src/system/version.js'
import { type LittleServer, launch, openPage, Site, sees } from './web.js'

/** Milliseconds for which the plots are drawn before the pictures are taken. */
const DRAWN_FOR = 45_000
const SIZES = { overview: { width: 1280, height: 726 }, service: { width: 1280, height: 776 } } as const
const HASHES = { overview: '#/', service: '#/service/shop' } as const
const THEMES = ['light', 'dark'] as const
const QUALITY = 85

const real = (net: string, i: number) => `[2001:db8:${net}::${11 + i}]:80`

/** Real servers with addresses as they might be; each is checked at a little server on ::1. */
function service(name: string, net: string, servers: readonly LittleServer[], more = ''): string {
  const lines = servers.map((server, i) => {
    const port = server.name.split(':').at(-1)
    return `      - { address: '${real(net, i)}', weight: 10, check: { kind: http, checkaddress: '::1', checkport: ${port}, interval: 500ms } }`
  })
  return `  ${name}:
    virtual: '[2001:db8::${net}]:80'
${more}    reals:
${lines.join('\n')}`
}

/** A window that began a while ago. */
function windowNow(name: string): string {
  const began = new Date(Date.now() - 20 * 60_000)
  const at = `${began.getUTCMinutes()} ${began.getUTCHours()} * * *`
  return `    windows:
      - { at: '${at}', zone: UTC, for: 2h, reals: ['${name}'], reason: kernel update }
`
}

async function shoot(page: Page, file: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  writeFileSync(file, Buffer.from(data, 'base64'))
}

const folder = process.argv[2] ?? join(packageRoot, 'src/web/pictures')
mkdirSync(folder, { recursive: true })
const site = new Site()
const browser = await launch()
try {
  site.traffic = 120
  await site.start({
    count: 15,
    services: servers =>
      [
        service('api', 'a', servers.slice(0, 4)),
        service('shop', 'b', servers.slice(4, 10), windowNow(real('b', 3))),
        service('search', 'c', servers.slice(10, 13)),
        service('mail', 'd', servers.slice(13)),
      ].join('\n'),
  })
  const token = await site.token('anna', 'operate')
  await giveOverride(site.socket, {
    targets: [{ service: 'shop', real: real('b', 1) }],
    effect: { kind: 'drain' },
    reason: 'disk swap',
    until: Date.now() + 2 * 3_600_000,
  })
  const pages = await Promise.all(
    THEMES.flatMap(colorScheme =>
      (['overview', 'service'] as const).map(async name => {
        const options = { colorScheme, viewport: SIZES[name], deviceScaleFactor: 2 }
        const { page } = await openPage(browser, `${site.url}${HASHES[name]}`, token, options)
        return { page, file: join(folder, `${name}-${colorScheme}.webp`) }
      }),
    ),
  )
  await wait(DRAWN_FOR)
  for (const server of [...site.servers.slice(4, 5), ...site.servers.slice(13)]) server.isFailing = true
  for (const { page } of pages) await sees(page, /503/)
  // The strips of the last results show the failures as well.
  await wait(DRAWN_FOR / 3)
  for (const { page, file } of pages) await shoot(page, file)
} finally {
  await browser.close()
  await site.stop()
}
