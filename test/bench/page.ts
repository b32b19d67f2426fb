/**
 * What the page costs a browser: a service with 2,000 real servers in headless Chromium. Counted is the processor time of
 * the tasks of its main thread, from parsing the answer to painting, so that a busy machine changes little.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { packageRoot } from '../../src/system/version.js'
import { launch, openPage, Site } from '../support/web.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'

const REALS = 2000
const TRAFFIC = 20_000
/** Milliseconds of the main thread that an update or a step of scrolling may take: a frame is lost above. */
const BOUND = 20
/** Milliseconds from an answer until the page has shown it. */
const SHOWN = 300

export const benchmark: Benchmark = {
  name: 'page',
  about: `an update and a step of scrolling of the page, with ${REALS} real servers in one service`,
  place: 'here',
  limit: 5,
  async *measure({ quick }: Run): AsyncIterable<Row> {
    execFileSync(process.execPath, [join(packageRoot, 'src/web/build.mjs')])
    const site = new Site()
    const browser = await launch()
    try {
      // The connections of all real servers change with each update.
      site.traffic = TRAFFIC
      await site.start({ many: REALS })
      const { page } = await openPage(
        browser,
        `${site.url}#/service/many`,
        await site.token('bench', 'operate'),
      )
      await page.locator('.real').first().waitFor()
      const session = await page.context().newCDPSession(page)
      await session.send('Performance.enable', { timeDomain: 'threadTicks' })
      // The first ones also compile the script.
      await updates(page, session, 3)
      const count = quick ? 5 : 30
      const row = { unit: 'ms', beside: 'bound', theirs: [BOUND] }
      const update = await updates(page, session, count)
      yield { figure: 'update', ours: update, ...row, note: NOTE }
      await page.route(/[?]after=/, route =>
        route.continue({ url: route.request().url().replace(/[?].*/, '') }),
      )
      const whole = await updates(page, session, count)
      await page.unrouteAll()
      yield {
        figure: 'update',
        unit: 'ms',
        ours: update,
        beside: 'whole answers',
        theirs: whole,
        note: WHOLE,
      }
      yield { figure: 'scroll step of 400 px', ours: await scrolls(page, session, count), ...row, note: NOTE }
    } finally {
      await browser.close()
      await site.stop()
    }
  },
}

const NOTE = 'processor time of the main thread'
const WHOLE = 'all real servers in each answer, in the same run: a busy machine slows both'

async function updates(page: Page, session: CDPSession, count: number): Promise<number[]> {
  const samples: number[] = []
  while (samples.length < count) {
    const before = await taskTime(session)
    await page.waitForResponse(response => response.url().includes('/v1/services/many/'))
    await sleep(SHOWN)
    samples.push((await taskTime(session)) - before)
  }
  return samples
}

async function scrolls(page: Page, session: CDPSession, count: number): Promise<number[]> {
  const samples: number[] = []
  while (samples.length < count) {
    // Between two updates.
    await page.waitForResponse(response => response.url().includes('/v1/services/many/'))
    await sleep(SHOWN)
    const before = await taskTime(session)
    await page.evaluate(
      'scrollBy(0, 400); new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))',
    )
    samples.push((await taskTime(session)) - before)
  }
  return samples
}

/** Milliseconds of all tasks so far. */
async function taskTime(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000
}
