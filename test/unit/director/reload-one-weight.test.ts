/** What a reload sends to the kernel, counted at the socket. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Check, defineCheck, up } from '../../../src/check/check.js'
import type { Loaded } from '../../../src/config/load.js'
import type { ResolvedConfig } from '../../../src/core/model.js'
import { startDaemon } from '../../../src/director/daemon.js'
import type { EventListener } from '../../../src/events/event-bus.js'
import { ipvs } from '../../../src/ipvs/attributes.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import type { Resolver } from '../../../src/names/lookup.js'
import { coder } from '../../../src/netlink/family.js'
import { decodeMessages, genericPart, type as messageType } from '../../../src/netlink/message.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { config, passed, real, service, serviceId, use } from '../../support/tables.js'

const on: Check = defineCheck({ name: 'on', summary: '', options: () => ({}), run: async () => up('') })
const other: Check = { ...on, name: 'other' }
const SERVICES = 5

/** Ten real servers in each service; the first one of all has this weight. */
function site(weight: number, { each = 10, interval = 1000, kind = 'on' } = {}): ResolvedConfig {
  return config(
    Array.from({ length: SERVICES }, (_, i) =>
      service(`web${i}`, {
        id: serviceId('2001:db8::80', 80 + i),
        reals: Array.from({ length: each }, (_, j) =>
          real(`fd00:${i + 1}::${(j + 1).toString(16)}`, {
            weight: i + j === 0 ? weight : 1,
            checks: [use(kind, {}, { interval })],
          }),
        ),
      }),
    ),
  )
}

function mentions({ services }: ResolvedConfig, kind: string): boolean {
  return services.some(({ reals }) => reals.some(({ checks }) => checks.some(use => use.kind === kind)))
}

async function started(first = site(1), listener: EventListener = {}, resolver?: Resolver) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-reload-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  const sent: string[] = []
  const names = coder(ipvs)
  const kernel = memoryKernel(undefined, undefined, socket => ({
    ...socket,
    send: datagram => {
      for (const message of decodeMessages(Buffer.from(datagram)))
        if (message.type !== messageType.GENERIC_CONTROL)
          sent.push(names.commandName(genericPart(message).command) ?? '')
      socket.send(datagram)
    },
  }))
  const loadedOf = (one: ResolvedConfig): Loaded & { config: ResolvedConfig } => ({
    config: { ...one, settings: { ...one.settings, socket: join(folder, 'lvsd.sock') } },
    // A file that does not mention a kind does not load it.
    checks: new Map([on, other].filter(({ name }) => mentions(one, name)).map(one => [one.name, one])),
    ...{ problems: [], text: '' },
  })
  let next = loadedOf(first)
  let isClosed = false
  const late: string[] = []
  const daemon = await startDaemon({
    loaded: next,
    kernel,
    kernelName: 'memory',
    journal: memoryJournal(),
    log: recordingLog().log,
    notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
    load: async () => next,
    listeners: [listener],
    ...(resolver && { resolver }),
    executors: onResult => {
      const jobs = new Set<string>()
      return {
        set: id => {
          if (isClosed) late.push(id)
          if (!jobs.has(id)) queueMicrotask(() => onResult(id, passed()))
          jobs.add(id)
        },
        remove: id => void jobs.delete(id),
        ...{
          retime: () => {},
          soon: () => {},
          atOnce: () => {},
          next: () => null,
          giveUpConnecting: () => {},
        },
        ...{ sources: () => new Map(), waiting: () => 0, firstRun: () => null, firstChecks: () => null },
        close: () => {
          isClosed = true
        },
        stats: () => {
          throw new Error('nobody asks')
        },
      }
    },
  })
  onCleanup(() => daemon.stop())
  await daemon.idle()
  const reload = (one: ResolvedConfig) => {
    next = loadedOf(one)
    return daemon.reload(false)
  }
  return { daemon, reload, kernel, sent, late }
}

const isWrite = (command: string) => /^(NEW|SET|DEL)_/.test(command)

describe('a reload of one weight', () => {
  it('is one message to the kernel, which nothing else precedes; the look at the table follows', async () => {
    const { daemon, reload, kernel, sent } = await started()
    const key = [...(await kernel.dump()).table.keys()][0] ?? ''
    sent.length = 0
    const { ok } = await reload(site(9))
    assert.ok(ok)
    assert.equal(sent[0], 'SET_DEST')
    await daemon.idle()
    assert.deepEqual(sent.filter(isWrite), ['SET_DEST'])
    assert.ok(sent.includes('GET_SERVICE'), `${sent}`)
    assert.equal((await kernel.dump()).table.get(key)?.reals.get('[fd00:1::1]:80')?.weight, 9)
  })

  it('reads the table first if nothing has changed: it is asked for to repair it', async () => {
    const { reload, kernel, sent } = await started()
    const { table } = await kernel.dump()
    const [[key, web] = []] = table
    assert.ok(web)
    await kernel.byHand.apply([{ op: 'delete-service', id: web.id, was: web }])
    sent.length = 0
    await reload(site(1))
    assert.equal(sent[0], 'GET_SERVICE')
    assert.deepEqual((await kernel.dump()).table.get(key ?? ''), web)
  })
})

describe('a reload of every check', () => {
  it('is taken over in steps of at most 500 real servers, between which other events have their turn', async () => {
    const steps: { readonly changed: number; readonly turn: number }[] = []
    let [before, turn]: [readonly object[], number] = [[], 0]
    const { reload, kernel } = await started(site(1, { each: 200 }), {
      config: ({ services }) => {
        const fresh = services.filter(one => !before.includes(one))
        steps.push({ changed: fresh.reduce((sum, { reals }) => sum + reals.length, 0), turn })
        before = services
      },
    })
    const { table } = await kernel.dump()
    steps.length = 0
    let next = setImmediate(function count() {
      turn++
      next = setImmediate(count)
    })
    const { ok } = await reload(site(1, { each: 200, interval: 2000 }))
    clearImmediate(next)
    assert.ok(ok)
    assert.deepEqual(
      steps.map(({ changed }) => changed),
      [400, 400, 200],
    )
    const [first, second, third] = steps.map(one => one.turn)
    assert.ok(Number(first) < Number(second) && Number(second) < Number(third), `${[first, second, third]}`)
    assert.deepEqual((await kernel.dump()).table, table)
  })

  it('takes no server down whose kind of check the new configuration does not mention any more', async () => {
    const told: string[] = []
    const { daemon, reload, kernel } = await started(site(1, { each: 200 }), {
      traffic: ({ name }, has) => void told.push(`${name} ${has}`),
    })
    const { table } = await kernel.dump()
    told.length = 0
    const { ok } = await reload(site(1, { each: 200, kind: 'other' }))
    assert.ok(ok)
    await daemon.idle()
    assert.deepEqual(told, [])
    assert.deepEqual((await kernel.dump()).table, table)
  })

  it('ends between two steps when lvsd stops, and begins no check any more', async () => {
    let [steps, stopped]: [number, Promise<void> | null] = [0, null]
    const { daemon, reload, late } = await started(site(1, { each: 200 }), {
      config: () => {
        if (++steps === 2) stopped = daemon.stop()
      },
    })
    await reload(site(1, { each: 200, interval: 2000 }))
    await stopped
    assert.deepEqual([steps, late], [2, []])
  })

  it('keeps the address of a name that moves from one of the first services to one that is new', async () => {
    let isAnswering = true
    const resolver: Resolver = {
      addresses: async (host, family) =>
        isAnswering
          ? { addresses: family === 'ipv6' ? [`fd00:9::${host.length}`] : [] }
          : { code: 'EAI_AGAIN' },
      names: async () => [],
      close: () => {},
    }
    const named = (interval: number, ...more: readonly string[]) => {
      const [web0 = service(''), ...others] = site(1, { each: 200, interval }).services
      return [{ ...web0, reals: [...web0.reals, ...more.map(host => real(host))] }, ...others]
    }
    const { daemon, reload, kernel } = await started(
      config(named(1000, 'www.example', 'other.example')),
      {},
      resolver,
    )
    await daemon.idle()
    isAnswering = false
    const fresh = service('fresh', { id: serviceId('2001:db8::99'), reals: [real('www.example')] })
    await reload(config([...named(2000, 'other.example'), fresh]))
    const entry = (await kernel.dump()).table.get('tcp [2001:db8::99]:80')
    assert.deepEqual([...(entry?.reals.keys() ?? [])], ['[fd00:9::11]:80'])
  })
})
