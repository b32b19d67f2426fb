import assert from 'node:assert/strict'
import type { AddressConflict, OverrideStatus, ServiceStatus } from '../../../../src/api/status-types.js'
import { checkStatus as verdictOn } from '../../../../src/cli/terminal/check.js'
import { renderStatus, statusHead, statusSections } from '../../../../src/cli/terminal/status.js'
import { widthOf } from '../../../../src/util/text-width.js'
import {
  checkStatus,
  DOWN,
  NOW,
  realStatus,
  serviceStatus,
  statusDocument,
} from '../../../support/cli/documents.js'

const plain = { width: 120, colour: false, now: NOW }

describe('status table', () => {
  it('shows services, servers, both weights, connections, state, time and the last result', () => {
    assert.equal(
      renderStatus(statusDocument(), plain),
      `
lvsd 0.1.0  up 2h05m  2026-11-22 12:00:00 UTC  kernel table  /etc/lvsd/lvsd.yaml  pid 4242
1 service, 2 real servers: 1 up, 1 down · 2 checks, late 2.0ms · read 4s ago

web  tcp [2001:db8::80]:80  wlc  4711 connections
  STATE    FOR  SERVER               FORWARD  WEIGHT  KERNEL  ACTIVE  INACT  SINCE      TOOK  LAST RESULT
  down      4s  [2001:db8:1::12]:80  masq          -      10       3     14  11:59:56  0.4ms
    refused: nobody listens on [2001:db8:1::12]:80
  up     3m12s  [2001:db8:1::11]:80  masq         10      10       3     14  11:56:48  1.2ms  200 OK
`.trim(),
    )
  })

  it('leaves out whole parts of the head at 80, and cuts none', () => {
    const config = {
      file: '/etc/lvsd/a/long/path/of/a/site.yaml',
      loadedAt: '',
      warnings: [],
      keptSince: null,
      fromNextStart: [],
    }
    const lines = renderStatus(statusDocument({ config }), { ...plain, width: 80 }).split('\n')
    assert.equal(lines[0], 'lvsd 0.1.0  up 2h05m  2026-11-22 12:00:00 UTC')
    assert.equal(lines[1], '1 service, 2 real servers: 1 up, 1 down · 2 checks, late 2.0ms · read 4s ago')
    const narrow = renderStatus(statusDocument({ config }), { ...plain, width: 60 }).split('\n')
    assert.equal(narrow[1], '1 service, 2 real servers: 1 up, 1 down · read 4s ago')
  })

  it('says that a changed configuration waits, and until when', () => {
    const { config } = statusDocument()
    const waits = { files: 'services.d/mail.yaml', until: new Date(NOW + 8000).toISOString() }
    const text = renderStatus(statusDocument({ config: { ...config, waits } }), { ...plain, width: 200 })
    assert.match(
      text,
      /^! a changed configuration \(services\.d\/mail\.yaml\) waits until 12:00:08: it has fewer real servers or lines, .*; lvsd reload applies it now$/m,
    )
  })

  it('says that the state folder cannot be written, with its path', () => {
    const { config } = statusDocument()
    const unkept = { folder: '/var/lib/lvsd', error: 'EACCES: permission denied' }
    const text = renderStatus(statusDocument({ config: { ...config, unkept } }), { ...plain, width: 200 })
    assert.match(
      text,
      /^! the state folder \/var\/lib\/lvsd cannot be written \(EACCES: permission denied\): /m,
    )
  })

  it('says of a service without a server for clients how many get new connections', () => {
    const titleOf = (reals: ServiceStatus['reals'], up: number) => {
      const totals = { up, down: reals.length - up, unknown: 0, noVerdict: 0 }
      const service = serviceStatus({ state: 'down', reals, totals })
      return renderStatus(statusDocument({ services: [service] }), plain)
        .split('\n')
        .find(line => line.startsWith('web'))
    }
    const drained = realStatus({ weight: { configured: 10, wanted: 0, kernel: 0 } })
    assert.match(titleOf([drained, drained], 2) ?? '', / {2}DOWN, 0 of 2 get new connections {2}/)
    assert.match(titleOf([DOWN, DOWN], 0) ?? '', / {2}DOWN, 0 of 2 up {2}/)
  })

  it('counts warnings and notes on the configuration as validate does, and quotes its file', () => {
    const { config } = statusDocument()
    const of = (...severities: readonly ('warning' | 'note')[]) => {
      const warnings = severities.map(severity => ({
        severity,
        code: 'X',
        message: '',
        file: '',
        at: { line: 1, column: 1, length: 1 },
      }))
      return renderStatus(statusDocument({ config: { ...config, file: '/etc/a b.yaml', warnings } }), plain)
    }
    assert.match(
      of('warning', 'note'),
      /^! 1 warning, 1 note on the configuration: lvsd validate '\/etc\/a b.yaml'$/m,
    )
    assert.match(of('warning', 'warning'), /^! 2 warnings on the configuration: /m)
  })

  it('names the settings that count from the next start', () => {
    const { config } = statusDocument()
    const of = (fromNextStart: string[]) =>
      renderStatus(statusDocument({ config: { ...config, fromNextStart } }), plain)
    assert.match(of(['engine', 'socket']), /^! engine and socket count from the next start of lvsd$/m)
    assert.match(of(['timeouts']), /^! timeouts count from the next start of lvsd$/m)
    assert.doesNotMatch(of([]), /next start/)
  })

  it('counts the servers with an override, and shows all of its words at 80', () => {
    const since = new Date(NOW).toISOString()
    const override: OverrideStatus = {
      effect: 'drain',
      weight: null,
      source: 'command',
      who: 'anna',
      reason: 'disk swap',
      since,
      until: since,
      rampUntil: null,
    }
    const reason = 'drain until 2026-11-22 14:00:00 UTC by anna: disk swap; 200 OK, 3 bytes'
    const service = serviceStatus({ reals: [realStatus({ override, reason }), realStatus(), DOWN] })
    const lines = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 80 }).split('\n')
    assert.match(lines[1] ?? '', /^1 service, 3 real servers: 2 up \(1 overridden\), 1 down · /)
    assert.ok(lines.includes(`    ${reason}`), lines.join('\n'))
  })

  it('leaves out the less needful columns at 80', () => {
    const text = renderStatus(statusDocument(), { ...plain, width: 80 })
    assert.match(text, /STATE {4}FOR {2}SERVER .* WEIGHT {2}KERNEL {2}LAST RESULT$/m)
    assert.doesNotMatch(text, /FORWARD|TOOK|ACTIVE/)
  })

  it('gives the result a line of its own where long addresses fill the screen', () => {
    const host = '2001:db8:1234:5678:9abc:def0:1234:5678'
    const service = serviceStatus({ reals: [realStatus({ host }), { ...DOWN, host }] })
    const lines = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 80 }).split('\n')
    assert.equal(lines.at(-2), '    refused: nobody listens on [2001:db8:1::12]:80')
    assert.match(lines.at(-3) ?? '', /^ {2}down +4s +\[2001:db8:1234:5678:9abc:def0:1234:5678\]:80 +- +10$/)
  })

  it('shows the result of a server that is about to change, however narrow the screen', () => {
    const reason = 'still up, failure 1 of 2: status 500 Internal Server Error'
    const service = serviceStatus({ reals: [realStatus({ reason, checks: [checkStatus({ streak: 1 })] })] })
    const text = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 40 })
    assert.match(text, /^ {2}up .*\n {4}still up, failure 1 of 2: status 5/m)
  })

  it('has all words of why a server is down, and of what needs attention, and cuts them only in a window', () => {
    const greeting =
      '"421 4.3.2 mx1.example.org Service not available, closing transmission channel, try later"'
    const reason = `status: ${greeting} as its greeting, expected 2xx`
    const error = `the kernel refused to add ${Array(12).fill('[2001:db8:1::11]:80').join(', ')}`
    const { reconcile } = statusDocument()
    const document = statusDocument({
      services: [serviceStatus({ reals: [{ ...DOWN, reason }] })],
      reconcile: { ...reconcile, errors: [error] },
    })
    for (const width of [80, 100, 120, 200]) {
      const lines = renderStatus(document, { ...plain, width }).split('\n')
      assert.ok(lines.every(line => widthOf(line) <= width))
      const flat = lines.map(line => line.trim()).join(' ')
      assert.ok(flat.includes(reason), `${width}`)
      assert.ok(flat.includes(`! ${error}`), `${width}`)
    }
    const view = { ...plain, width: 100 }
    assert.deepEqual(statusHead(document, view)[1], [`! ${error}`])
    assert.equal(statusSections(document, view)[0]?.items[0]?.lines.length, 2)
  })

  for (const width of [20, 40, 60, 80, 100, 120, 200])
    it(`never writes past ${width} columns`, () => {
      const text = renderStatus(eventful(), { ...plain, width, colour: true })
      for (const line of text.split('\n')) assert.ok(widthOf(line) <= width, line)
    })

  it('shows what needs attention', () => {
    const text = renderStatus(eventful(), { ...plain, width: 200 })
    assert.match(text, /^! the kernel refused: no scheduler "mh"/m)
    assert.match(text, /^! the last reload \([\d:]+\) was refused: 2 errors/m)
    assert.match(
      text,
      /^! another program keeps changing web \(tcp \[::1\]:80\): 12 changes reverted since 11:59:00/m,
    )
    assert.match(text, /^! another program keeps changing tcp \[::1\]:81: 2 changes reverted since 11:59:00/m)
    assert.match(text, /^! 3 changes by other programs reverted/m)
    assert.match(text, /^! lvsd was held up 1 time, 1.20s in all, last 5m12s ago; no server was blamed$/m)
    assert.match(text, /^ {2}fallback \[2001:db8:1::99\]:80 takes the traffic$/m)
    assert.match(text, /^mail {2}its name does not resolve {2}not in the table {2}rr$/m)
  })

  it('shows first that a reload was refused, when, and the position of the error', () => {
    const at = { line: 7, column: 20, length: 4 }
    const problem = {
      severity: 'error',
      code: 'UNKNOWN_CHECK',
      message: 'there is no check "htpp"',
      at,
    } as const
    const lastReload = {
      ok: false,
      at: new Date(NOW - 5000).toISOString(),
      message: '1 error in the file; the running configuration stays',
      problems: [{ ...problem, file: 'site.yaml' }],
    }
    const lines = renderStatus(statusDocument({ lastReload }), { ...plain, width: 200 }).split('\n')
    assert.equal(
      lines[3],
      '! the last reload (11:59:55) was refused: site.yaml:7:20 there is no check "htpp"; ' +
        '1 error in the file; the running configuration stays',
    )
    const told = '/etc/lvsd.yaml: there is no such file'
    const gone = {
      ...lastReload,
      message: `${told}; the running configuration stays`,
      problems: [
        { ...problem, code: 'FILE_UNREADABLE', message: 'there is no such file', file: '/etc/lvsd.yaml' },
      ],
    }
    assert.equal(
      renderStatus(statusDocument({ lastReload: gone }), { ...plain, width: 200 }).split('\n')[3],
      `! the last reload (11:59:55) was refused: ${told}; the running configuration stays`,
    )
    const start = { ...lastReload, isStart: true as const, message: '1 error in the file' }
    assert.match(
      renderStatus(statusDocument({ lastReload: start }), { ...plain, width: 200 }),
      /^! the start \(11:59:55\) refused the file: site\.yaml:7:20 there is no check "htpp"; 1 error/m,
    )
  })

  it('names the cause of missing verdicts, whatever it is, and of which server', () => {
    const unasked = (host: string, detail: string) =>
      realStatus({
        host,
        checks: [checkStatus({ noVerdict: { since: new Date(NOW).toISOString(), count: 3, detail } })],
      })
    const reals = [unasked('::1', 'no buffers (ENOBUFS)'), unasked('::2', 'no buffers (ENOBUFS)')]
    const other = serviceStatus({ name: 'mail', reals: [unasked('::3', 'no interface d-rs')] })
    const text = renderStatus(statusDocument({ services: [serviceStatus({ reals }), other] }), {
      ...plain,
      width: 200,
    })
    assert.match(text, /^! no verdict on 2 servers: no buffers \(ENOBUFS\)$/m)
    assert.match(text, /^! no verdict on mail \[::3\]:80: no interface d-rs$/m)
    assert.doesNotMatch(text, /descriptor/)
  })

  it('shows the address in use of what is a name', () => {
    const named = { host: 'web1.example', address: '[fc00::11]', port: 80 }
    const fallback = { name: 'sorry:80', host: 'sorry', address: '192.0.2.9', port: 80, inUse: true }
    const [web, sorry] = [{ reals: [realStatus(named)] }, { reals: [DOWN], fallback }].map(serviceStatus)
    const text = renderStatus(statusDocument({ services: [web, sorry] as ServiceStatus[] }), {
      ...plain,
      width: 200,
    })
    assert.match(text, /^ {2}up +3m12s {2}web1\.example \(\[fc00::11\]:80\) {2}masq /m)
    assert.match(text, /fallback sorry \(192\.0\.2\.9:80\) takes the traffic/)
    const awaited = serviceStatus({ reals: [realStatus({ ...named, address: null })] })
    assert.match(
      renderStatus(statusDocument({ services: [awaited] }), { ...plain, width: 200 }),
      /web1\.example:80 /,
    )
  })

  it('says which names no longer have the address in use, and for whom', () => {
    const trouble = 'vip has no IPv6 address; it has 192.0.2.1; fd00::1 stays in use'
    const lost = { host: 'app', address: '[fd00::9]', nameTrouble: 'app has none' }
    const services = [
      serviceStatus({ nameTrouble: trouble }),
      serviceStatus({ name: 'mail', reals: [realStatus(lost)] }),
      serviceStatus({ name: 'news', reals: [realStatus(lost), realStatus({ ...lost, address: null })] }),
    ]
    const text = renderStatus(statusDocument({ services }), { ...plain, width: 200 })
    assert.match(text, /^! web: vip has no IPv6 address; it has 192\.0\.2\.1; fd00::1 stays in use$/m)
    assert.match(text, /^! 2 services: app has none$/m)
  })

  it('puts services without a server or in panic first, and in each what is down', () => {
    const down = serviceStatus({
      name: 'dead',
      state: 'down',
      reals: [DOWN],
      since: new Date(NOW).toISOString(),
    })
    const healthy = serviceStatus({
      name: 'well',
      reals: [realStatus()],
      totals: { up: 1, down: 0, unknown: 0, noVerdict: 0 },
    })
    const at = new Date(NOW).toISOString()
    const panic = serviceStatus({ name: 'panic', panic: { since: at, until: at, held: [DOWN.name] } })
    const services = [healthy, serviceStatus({ name: 'half' }), down, panic]
    const text = renderStatus(statusDocument({ services }), plain)
    const heads = text.split('\n').filter(line => /^(well|half|dead|panic) /.test(line))
    assert.deepEqual(
      heads.map(line => line.split(' ')[0]),
      ['dead', 'panic', 'half', 'well'],
    )
    assert.match(heads[0] ?? '', /DOWN, 1 of 1 up|DOWN/)
    assert.match(text, /^ {2}no fallback: clients are refused since 12:00:00$/m)
  })

  it('says what becomes of servers that are down', () => {
    const rows: [part: Partial<ServiceStatus>, words: string][] = [
      [{ quiescent: true }, '  quiescent'],
      [{ onDown: { dead: 'remove', sick: 'quiesce', after: null } }, '  dead removed, sick quiesced'],
      [
        { onDown: { dead: 'remove', sick: 'quiesce', after: 300_000 } },
        '  dead removed, sick quiesced for 5m',
      ],
      [{ onDown: { dead: 'quiesce', sick: 'remove', after: null } }, '  dead quiesced, sick removed'],
      [{ onDown: { dead: 'quiesce', sick: 'quiesce', after: 60_000 } }, '  down quiesced for 1m'],
      [{ onDown: { dead: 'quiesce', sick: 'quiesce', after: null } }, '  quiescent'],
      [{ onDown: { dead: 'remove', sick: 'remove', after: null } }, ''],
    ]
    for (const [part, words] of rows) {
      const text = renderStatus(statusDocument({ services: [serviceStatus(part)] }), plain)
      assert.equal(text.split('\n')[3], `web  tcp [2001:db8::80]:80  wlc  4711 connections${words}`)
    }
  })

  it('shows below the name of a service which of its windows an operator has ended early', () => {
    const ended = {
      service: 'web',
      real: '[2001:db8:1::11]:80',
      window: 'window 0 2 * * sun UTC',
      begin: new Date(NOW - 3_600_000).toISOString(),
      until: new Date(NOW + 3_600_000).toISOString(),
      at: new Date(NOW - 60_000).toISOString(),
      who: 'anna',
    }
    const document = statusDocument({ services: [serviceStatus({ endedWindows: [ended] })] })
    const lines = renderStatus(document, plain).split('\n')
    const at = lines.findIndex(line =>
      /^ {2}window 0 2 \* \* sun UTC ended early for \[2001:db8:1::11\]:80 at .* by anna, planned until /.test(
        line,
      ),
    )
    assert.match(lines[at - 1] ?? '', /^web /)
    assert.match(lines[at + 1] ?? '', /^ {2}STATE/)
  })

  it('names the receivers of alerts that cannot be reached', () => {
    const common = { kind: 'webhook', sent: 1, failures: 3, lost: 0, waiting: 2, lastSentAt: null } as const
    const destinations = [
      { ...common, receiver: 'chat', destination: 'chat', isFailing: true, lastError: 'answers 500' },
      { ...common, receiver: 'ops', destination: 'ops', isFailing: false, lastError: 'answers 500' },
    ]
    const text = renderStatus(statusDocument({ alerts: { firing: 1, destinations } }), plain)
    assert.match(text, /^! alerts do not reach chat: answers 500$/m)
    assert.ok(!text.includes('alerts do not reach ops'))
  })

  it('begins with what holds the table: isolation and panic', () => {
    const since = new Date(NOW - 60_000).toISOString()
    const document = statusDocument({
      isolation: { since, detail: 'the interface eth1 is down or has no carrier' },
      services: [
        serviceStatus({ panic: { since, until: new Date(NOW + 60_000).toISOString(), held: ['a', 'b'] } }),
      ],
    })
    const text = renderStatus(document, plain)
    const time = String.raw`\d\d:\d\d:\d\d`
    assert.match(
      text,
      new RegExp(
        `! lvsd is isolated since ${time}, failed checks do not count: the interface eth1 is down or has no carrier`,
      ),
    )
    assert.match(
      text,
      new RegExp(`! web: panic, 2 of 2 down and held in the table, until ${time} at the latest`),
    )
    assert.match(text, /:80 {2}PANIC {2}wlc/)
    assert.match(
      verdictOn(document).line,
      /^LVSD CRITICAL - lvsd is isolated: the interface eth1 .*; web is in panic: 2 down are held in the table; web /,
    )
  })

  it('tells below a service who else answers for its virtual address, as a warning', () => {
    const conflict: AddressConflict = {
      ...{ address: '192.0.2.80', interface: 'eth0', hardware: '02:00:00:00:00:11', server: '192.0.2.11' },
      ...{ since: new Date(NOW).toISOString(), text: 'the real server 192.0.2.11 answers ARP' },
    }
    const document = statusDocument({ services: [serviceStatus({ conflicts: [conflict] })] })
    assert.match(
      renderStatus(document, { ...plain, width: 200 }),
      /\n {2}the real server 192\.0\.2\.11 answers ARP\n/,
    )
    assert.match(verdictOn(document).line, /web: 192\.0\.2\.11 answers for 192\.0\.2\.80 too/)
  })

  it('removes control characters from the answer of a server', () => {
    const reason = 'unexpected: \u001b[2J\u001b]0;owned\u0007 \r\n \u202edetpyrcne'
    const service = serviceStatus({ reals: [realStatus({ state: 'down', reason })] })
    const text = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 200 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/)
    assert.match(text, /unexpected: ·\[2J·\]0;owned· ·detpyrcne$/)
  })

  it('is plain without colours and the same text with them', () => {
    const bare = renderStatus(eventful(), plain)
    const painted = renderStatus(eventful(), { ...plain, colour: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with it
    assert.equal(painted.replaceAll(/\u001b\[[\d;]*m/g, ''), bare)
    assert.ok(painted.includes('\u001b[31mdown'))
  })

  it('shows a server that has not been checked yet', () => {
    const real = realStatus({
      state: 'unknown',
      reason: 'not checked yet',
      counters: null,
      checks: [checkStatus({ state: 'unknown', last: null })],
    })
    const text = renderStatus(statusDocument({ services: [serviceStatus({ reals: [real] })] }), plain)
    assert.match(text, /0 up, 0 down, 1 not checked yet/)
    assert.match(text, /unknown .* - +- +[\d:]+ +- +not checked yet$/m)
  })
})

describe('a sysctl that cannot be set', () => {
  it('is shown above the services, and is a warning for a plug-in', () => {
    const trouble = 'net.ipv4.vs.conntrack stays 0, not 1: lvsd may not set it'
    const one = { name: 'net.ipv4.vs.conntrack', declared: '1', value: '0', former: null, changesByOthers: 0 }
    const document = statusDocument({ sysctls: [{ ...one, trouble }] })
    const shown = renderStatus(document, { colour: false, now: NOW, width: 120 })
    assert.match(shown, /^! net\.ipv4\.vs\.conntrack stays 0/m)
    const { verdict, line } = verdictOn(document)
    assert.equal(verdict, 1)
    assert.match(line, /conntrack stays 0/)
  })
})

function eventful() {
  return statusDocument({
    kernel: 'memory',
    lastReload: { ok: false, at: new Date(NOW).toISOString(), message: '2 errors', problems: [] },
    reconcile: {
      lastResync: null,
      countersAt: null,
      readEvery: 1000,
      servicesEvery: 1000,
      readCost: 2.5,
      changesApplied: 3,
      driftRepaired: 3,
      disputes: [
        { service: 'tcp [::1]:80', name: 'web', since: new Date(NOW - 60_000).toISOString(), changes: 12 },
        { service: 'tcp [::1]:81', name: null, since: new Date(NOW - 60_000).toISOString(), changes: 2 },
      ],
      errors: ['the kernel refused: no scheduler "mh"'],
    },
    schedule: {
      engine: 'native',
      jobs: 2,
      running: 0,
      lateness: { p50: 0, p99: 0, max: 0 },
      stalls: 1,
      stalledFor: 1200,
      sinceStall: 312_000,
      noVerdicts: 7,
    },
    services: [
      serviceStatus({
        quiescent: true,
        reals: [DOWN],
        fallback: {
          name: '[2001:db8:1::99]:80',
          host: '2001:db8:1::99',
          address: '[2001:db8:1::99]',
          port: 80,
          inUse: true,
        },
      }),
      serviceStatus({
        name: 'mail',
        key: null,
        scheduler: 'rr',
        inKernel: false,
        counters: null,
        reals: [realStatus({ host: 'mail1.example', port: 25 })],
      }),
    ],
  })
}
