import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseAddress } from '../../../src/core/address.js'
import type { Hint } from '../../../src/core/hints.js'
import type { Job } from '../../../src/health/jobs.js'
import { PathHints } from '../../../src/hints/path-hints.js'
import { EVERYTHING, type PathEvent } from '../../../src/netlink/path-events.js'
import type { Link, Route } from '../../../src/netlink/paths.js'
import { FakeClock } from '../../support/fake-clock.js'

const addressOf = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>
const NEWS: PathEvent = {
  ...{ links: false, routes: false, addresses: false },
  ...{ failed: [], found: [], linkIndexes: [] },
}
const way = (link: number, gateway: string | null = null, source = '2001:db8::9'): Route => ({
  ...{ kind: 'by', link, gateway: gateway === null ? null : addressOf(gateway), source: addressOf(source) },
})

const mapOf = (jobs: readonly Job[]) => new Map(jobs.map(job => [job.id, job]))

/** A machine whose routes and interfaces the test sets. Its servers are their addresses. */
function rig(routes: Record<string, Route | null>) {
  const clock = new FakeClock()
  const links = new Map<number, Link>([2, 3].map(i => [i, { name: `eth${i}`, isWorking: true, losses: 0 }]))
  const hints: string[] = []
  const failures: string[] = []
  const heard: {
    onEvent: ((event: PathEvent) => void) | null
    closed: number
    opened: number
    asked: number
  } = {
    ...{ onEvent: null, closed: 0, opened: 0, asked: 0 },
  }
  const pathHints = new PathHints({
    clock,
    paths: {
      routeTo: ({ text }) => {
        heard.asked++
        return routes[text] ?? null
      },
      link: index => links.get(index) ?? null,
    },
    openEvents: ({ onEvent }) => {
      heard.onEvent = onEvent
      heard.opened++
      return { close: () => void heard.closed++ }
    },
    onHint: (ids, { kind, detail }: Hint) => void hints.push(`${ids.join(' ')}: ${kind}: ${detail}`),
    onFailure: ({ message }) => void failures.push(message),
  })
  const jobs = Object.keys(routes).map(
    text => ({ id: text, target: { address: addressOf(text) }, answer: null }) as unknown as Job,
  )
  pathHints.follow(mapOf(jobs))
  clock.wind(2000)
  const report = (event: Partial<PathEvent>) => {
    heard.onEvent?.({ ...NEWS, ...event })
    clock.wind(2000)
    return hints.splice(0)
  }
  return { clock, links, hints, failures, heard, pathHints, report, routes, jobs }
}

const neighbour = (text: string, link = 2) => ({ address: addressOf(text), link })

describe('path-hints: a neighbour', () => {
  it('that is not found concerns the servers behind it, once', () => {
    const { report } = rig({
      '2001:db8:1::1': way(2),
      '2001:db8:2::1': way(2, '2001:db8:1::fe'),
      '2001:db8:2::2': way(2, '2001:db8:1::fe'),
    })
    const lost = (text: string) => `neighbour: the neighbour ${text} does not answer the kernel`
    assert.deepEqual(report({ failed: [neighbour('2001:db8:1::1')] }), [
      `2001:db8:1::1: ${lost('2001:db8:1::1')}`,
    ])
    assert.deepEqual(report({ failed: [neighbour('2001:db8:1::1')] }), [])
    assert.deepEqual(report({ failed: [neighbour('2001:db8:1::fe')] }), [
      `2001:db8:2::1 2001:db8:2::2: ${lost('2001:db8:1::fe')}`,
    ])
    assert.deepEqual(report({ failed: [neighbour('2001:db8:1::77')] }), [])
    assert.deepEqual(report({ failed: [neighbour('2001:db8:1::fe', 3)] }), [])
  })

  it('concerns the servers whose packets go to it since their route has changed', () => {
    const { report, routes } = rig({ '2001:db8:2::1': way(2, '2001:db8:1::fe') })
    routes['2001:db8:2::1'] = way(2, '2001:db8:1::fd')
    assert.equal(report({ routes: true }).length, 1)
    assert.equal(report({ failed: [neighbour('2001:db8:1::fe')] }).length, 0)
    assert.equal(report({ failed: [neighbour('2001:db8:1::fd')] }).length, 1)
  })

  it('that was found again may be lost again', () => {
    const { report } = rig({ '2001:db8:1::1': way(2) })
    const lost = { failed: [neighbour('2001:db8:1::1')] }
    assert.equal(report(lost).length, 1)
    assert.equal(report({ found: [{ ...neighbour('2001:db8:1::1'), hardware: '02' }] }).length, 0)
    assert.equal(report(lost).length, 1)
  })

  it('with another hardware address concerns the servers behind it', () => {
    const { report } = rig({ '2001:db8:1::1': way(2) })
    const found = (hardware: string) => report({ found: [{ ...neighbour('2001:db8:1::1'), hardware }] })
    assert.deepEqual(found('02'), [])
    assert.deepEqual(found('02'), [])
    assert.deepEqual(found('04'), [
      '2001:db8:1::1: neighbour: the neighbour 2001:db8:1::1 has another hardware address',
    ])
  })

  it('with a link-local address is the server itself', () => {
    const { report } = rig({ 'fe80::1%eth2': null })
    assert.equal(report({ failed: [neighbour('fe80::1')] }).length, 1)
  })
})

describe('path-hints: an interface, a route, a source', () => {
  it('that goes down and comes back concerns the servers behind it', () => {
    const { report, links } = rig({ '2001:db8:1::1': way(2), '2001:db8:2::1': way(3) })
    links.set(2, { name: 'eth2', isWorking: false, losses: 1 })
    const turn = { links: true, linkIndexes: [2] }
    assert.deepEqual(report(turn), ['2001:db8:1::1: link: the interface eth2 has gone down'])
    assert.deepEqual(report(turn), [])
    links.set(2, { name: 'eth2', isWorking: true, losses: 1 })
    assert.deepEqual(report(turn), ['2001:db8:1::1: link: the interface eth2 works again'])
  })

  it('that changes concerns the servers whose packets go another way now', () => {
    const { report, routes } = rig({ '2001:db8:1::1': way(2), '2001:db8:2::1': way(3) })
    routes['2001:db8:2::1'] = way(3, '2001:db8:1::fe')
    assert.deepEqual(report({ routes: true }), ['2001:db8:2::1: route: the route to the server has changed'])
    routes['2001:db8:2::1'] = { kind: 'unreachable', code: 'ENETUNREACH' }
    assert.equal(report({ routes: true }).length, 1)
    routes['2001:db8:1::1'] = way(2, null, '2001:db8::8')
    assert.deepEqual(report({ addresses: true }), [
      '2001:db8:1::1: address: the source address towards the server has changed',
    ])
  })

  it('is looked at as a whole where the kernel has lost reports', () => {
    const { links, routes, heard, hints, clock } = rig({
      '2001:db8:1::1': way(2),
      '2001:db8:2::1': way(3),
    })
    links.set(2, { name: 'eth2', isWorking: false, losses: 1 })
    routes['2001:db8:2::1'] = way(2)
    heard.onEvent?.(EVERYTHING)
    clock.wind(2000)
    assert.equal(hints.length, 2)
  })

  it('is read once a second at most, however often routes change', () => {
    const { clock, heard } = rig({ '2001:db8:1::1': way(2) })
    const before = heard.asked
    for (let i = 0; i < 500; i++) {
      heard.onEvent?.({ ...NEWS, routes: true })
      clock.wind(10)
    }
    assert.ok(heard.asked - before <= 6, `${heard.asked - before} in 5 s`)
  })
})

describe('path-hints', () => {
  it('reads the routes of many servers in slices', () => {
    const many = Object.fromEntries(
      Array.from({ length: 950 }, (_, i) => [`2001:db8:1::${(i + 1).toString(16)}`, way(2)]),
    )
    const { heard } = rig(many)
    assert.equal(heard.asked, 950)
  })

  it('reads the routes of new servers alone after a reload, those that it follows already being reported', () => {
    const { heard, pathHints, clock, jobs, routes, report } = rig({
      '2001:db8:1::1': way(2),
      '2001:db8:1::2': way(2),
    })
    routes['2001:db8:1::3'] = way(3)
    const third = { ...jobs[0], id: 'third', target: { address: addressOf('2001:db8:1::3') } } as Job
    pathHints.follow(mapOf([...jobs.slice(1), third]))
    clock.wind(2000)
    assert.equal(heard.asked, 3)
    routes['2001:db8:1::2'] = way(3)
    assert.deepEqual(report({ routes: true }), ['2001:db8:1::2: route: the route to the server has changed'])
    assert.equal(heard.asked, 5)
  })

  it('follows the checks of the last of any reloads, each at its server', () => {
    const [one, two, three] = ['2001:db8:1::1', '2001:db8:1::2', '2001:db8:1::3']
    const address = fc.constantFrom(one, two, three, null)
    const site = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), address)
    fc.assert(
      fc.property(fc.array(site, { maxLength: 4 }), site, (earlier, last) => {
        const { pathHints, clock, links, report } = rig({ [one]: way(2), [two]: way(2), [three]: way(3) })
        const known = new Map<string, Job>()
        const jobOf = ([id, text]: [string, string | null]) => {
          const target = { address: addressOf(text ?? one) }
          const job = { id, target, answer: text === null ? {} : null } as unknown as Job
          // A job that has not changed is the same object.
          return known.get(`${id} ${text}`) ?? known.set(`${id} ${text}`, job).get(`${id} ${text}`) ?? job
        }
        for (const jobs of [...earlier, last]) {
          pathHints.follow(mapOf(Object.entries(jobs).map(jobOf)))
          clock.wind(2000)
        }
        links.set(2, { name: 'eth2', isWorking: false, losses: 1 })
        const told = report({ links: true, linkIndexes: [2] }).flatMap(
          line => line.split(': ')[0]?.split(' ') ?? [],
        )
        const wanted = Object.entries(last).filter(([, text]) => text === one || text === two)
        assert.deepEqual(told.sort(), wanted.map(([id]) => id).sort())
      }),
    )
  })

  it('asks nothing of servers that stay, and compares no more than their checks', () => {
    const texts = Array.from({ length: 50 }, (_, i) => `2001:db8:1::${i + 1}`)
    const { pathHints, jobs } = rig(Object.fromEntries(texts.map(text => [text, way(2)])))
    let looks = 0
    const seen = jobs.map(
      job =>
        ({
          ...job,
          get target() {
            looks++
            return job.target
          },
        }) as Job,
    )
    pathHints.follow(mapOf(seen))
    looks = 0
    pathHints.follow(mapOf([...seen]))
    assert.equal(looks, 0)
  })

  it('reads all routes where a reload and a change of routes come together', () => {
    for (const isRouteFirst of [true, false]) {
      const { heard, pathHints, clock, jobs, hints, routes } = rig({ '2001:db8:1::1': way(2) })
      routes['2001:db8:1::1'] = way(3)
      const change = () => heard.onEvent?.({ ...NEWS, routes: true })
      if (isRouteFirst) change()
      pathHints.follow(mapOf(jobs))
      if (!isRouteFirst) change()
      clock.wind(2000)
      assert.deepEqual(hints, ['2001:db8:1::1: route: the route to the server has changed'])
    }
  })

  it('reads all routes once more where they change while they are read', () => {
    const texts = Array.from({ length: 150 }, (_, i) => `2001:db8:1::${i + 1}`)
    const [first = '', last = ''] = [texts[0], texts.at(-1)]
    const { report, routes, heard } = rig(Object.fromEntries(texts.map(text => [text, way(2)])))
    let isChanged = false
    Object.defineProperty(routes, last, {
      get() {
        // The first one has been read before.
        if (!isChanged) heard.onEvent?.({ ...NEWS, routes: true })
        isChanged = true
        routes[first] = way(3)
        return way(2)
      },
    })
    assert.deepEqual(report({ routes: true }), [`${first}: route: the route to the server has changed`])
    routes[first] = way(2)
  })

  it('listens while there are servers', () => {
    const { heard, pathHints, clock } = rig({ '2001:db8:1::1': way(2) })
    pathHints.follow(new Map())
    assert.deepEqual([heard.closed, clock.alarms], [1, 0])
  })

  it('opens again five seconds after a failure, and tells it once until it works', () => {
    const { heard, clock, links, failures, hints, report } = rig({ '2001:db8:1::1': way(2) })
    const { get } = links
    links.get = () => {
      throw new Error('ENOBUFS')
    }
    report({ links: true, linkIndexes: [2] })
    assert.deepEqual([failures, heard.closed, heard.opened], [['ENOBUFS'], 1, 1])
    clock.wind(5000)
    assert.deepEqual([failures, heard.closed, heard.opened], [['ENOBUFS'], 2, 2])
    links.get = get
    links.set(2, { name: 'eth2', isWorking: false, losses: 1 })
    clock.wind(7000)
    assert.deepEqual([failures, heard.closed, heard.opened], [['ENOBUFS'], 2, 3])
    assert.deepEqual(hints, ['2001:db8:1::1: link: the interface eth2 has gone down'])
    links.get = () => {
      throw new Error('EMFILE')
    }
    report({ links: true, linkIndexes: [2] })
    assert.deepEqual(failures, ['ENOBUFS', 'EMFILE'])
  })

  it('reads all routes when it has opened again, because they may have changed meanwhile', () => {
    const { clock, links, hints, report, routes } = rig({ '2001:db8:1::1': way(2) })
    const { get } = links
    links.get = () => {
      throw new Error('ENOBUFS')
    }
    report({ links: true, linkIndexes: [2] })
    links.get = get
    routes['2001:db8:1::1'] = way(3)
    clock.wind(7000)
    assert.deepEqual(hints, ['2001:db8:1::1: route: the route to the server has changed'])
  })

  it('does not open again after its end, nor a second time for another configuration', () => {
    const { heard, clock, links, pathHints, report, jobs } = rig({ '2001:db8:1::1': way(2) })
    links.get = () => {
      throw new Error('ENOBUFS')
    }
    report({ links: true, linkIndexes: [2] })
    pathHints.follow(mapOf(jobs))
    assert.equal(heard.opened, 1)
    pathHints.close()
    clock.wind(60_000)
    assert.deepEqual([heard.opened, clock.alarms], [1, 0])
  })
})
