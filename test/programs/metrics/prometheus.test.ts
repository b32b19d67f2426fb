/** The metrics of a running lvsd as Prometheus sees them, and deploy/prometheus in the programs that it is for. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { addToken, giveOverride, requestReload } from '../../../src/api/client.js'
import { METRICS, type MetricName } from '../../../src/core/metrics.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { freePort, programOr, start } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { dashboardQueries, samplesOf } from '../../support/metrics.js'
import { until } from '../../support/until.js'

const DEPLOY = join(packageRoot, 'deploy/prometheus')
const MAIN = installed('main')

const SITE = (listen: string, more: string) => `
api: { listen: ['${listen}'], metrics: token }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: 'on', interval: 1s }
    reals: ['[2001:db8::1]:80 masq 3', '[2001:db8::2]:80 masq']
  mail:
    virtual: '[2001:db8::25]:25'
    check: { kind: 'off', interval: 1s }
    fallback: '[2001:db8::f]:25'
    reals: ['[2001:db8::3]:25 masq']
${more}`

/** A service whose server is at this port of ::1. */
const EDGE = (port: number) => `  edge:
    virtual: '[2001:db8::ed]:80'
    check: { kind: connect, interval: 1s, rise: 1, fall: 1 }
    reals: ['[::1]:${port} masq']
`

/** Queries without data in this test: nothing that it can do makes them happen. */
const WITHOUT_DATA = [
  /^max by \(service\) \(lvsd_service_panic\{.* > 0$/,
  /lvsd_reconcile_drift_total.* > 0$/,
]

/** Starts lvsd with the memory table. Returns the path of its control socket, and the port of the API. */
async function lvsd(more = ''): Promise<{ readonly socket: string; readonly tcp: number }> {
  const folder = temporaryFolder()
  const file = join(folder, 'site.yaml')
  const socket = join(folder, 'lvsd.sock')
  const tcp = await freePort()
  writeFileSync(file, SITE(`[::1]:${tcp}`, more))
  const places = ['--kernel', 'memory', '--socket', socket, '--state', folder]
  const child = spawn(process.execPath, [MAIN, 'run', file, ...places], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  onCleanup(() => {
    child.kill('SIGKILL')
    return ended
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    said += chunk
  })
  await until(() => /"service\.(refused|fallback-in)"/.test(said) && said.split('"real.up"').length > 2, {
    what: () => `the servers are judged: ${said}`,
  })
  return { socket, tcp }
}

interface Got {
  readonly status: number
  readonly type: string
  readonly body: string
}

function ask(place: object, path: string, headers = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    get({ ...place, path, headers, agent: false }, response => {
      const { statusCode: status = 0, headers: said } = response
      text(response).then(body => resolve({ status, type: String(said['content-type']), body }), reject)
    }).on('error', reject)
  })
}

/** Publishes the metrics of the socket by the nginx.conf of deploy/prometheus. Returns the port. */
async function publish(nginx: string, socket: string): Promise<number> {
  const folder = temporaryFolder()
  const port = await freePort()
  const server = readFileSync(join(DEPLOY, 'nginx.conf'), 'utf8')
    .replace('[::]:9810', `[::1]:${port}`)
    .replace('/run/lvsd/lvsd.sock', socket)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${folder}/${name};`)
    .join('\n')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user} daemon off; pid ${folder}/pid; error_log stderr; events {}\nhttp { access_log off;\n${temporary}\n${server}}`,
  )
  await start(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], [port], 'SIGTERM')
  return port
}

async function prometheus(program: string, target: number, token: string): Promise<number> {
  const folder = temporaryFolder()
  const port = await freePort()
  const config = readFileSync(join(DEPLOY, 'scrape.yml'), 'utf8')
    .replace('15s', '3s')
    .replace(/targets: .*/, `targets: ['[::1]:${target}']`)
    .replace('/etc/prometheus/lvsd-director1.token', join(folder, 'token'))
    .replace('/etc/prometheus', DEPLOY)
  writeFileSync(join(folder, 'token'), `${token}\n`)
  writeFileSync(join(folder, 'prometheus.yml'), `global: { evaluation_interval: 1s }\n${config}`)
  const options = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=[::1]:${port}`,
    '--log.level=error',
  ]
  await start(program, options, [port])
  const isReady = async () => (await ask({ host: '::1', port }, '/-/ready')).status === 200
  await until(isReady, { what: 'Prometheus is ready' })
  return port
}

interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

describe('metrics: Prometheus', function () {
  this.timeout(120_000)

  it('reads them from a running lvsd, and answers the queries of the dashboard and of the alerts', async function () {
    const program = programOr(() => this.skip(), 'prometheus', 'prometheus')
    const edge = createServer().listen({ host: '::1', port: 0 })
    await once(edge, 'listening')
    const closeEdge = () => new Promise(resolve => edge.close(resolve))
    onCleanup(() => void closeEdge())
    const { socket, tcp } = await lvsd(EDGE((edge.address() as AddressInfo).port))
    assert.equal((await ask({ host: '::1', port: tcp }, '/metrics')).status, 401)
    const { token } = await addToken(socket, { name: 'prometheus', role: 'read', until: null })
    const port = await prometheus(program, tcp, token)
    const api = async (path: string) => {
      const { body } = await ask({ host: '::1', port }, `/api/v1/${path}`)
      return JSON.parse(body)
    }
    const query = async (expression: string): Promise<readonly Found[]> => {
      const { status, data, error } = await api(`query?query=${encodeURIComponent(expression)}`)
      assert.equal(status, 'success', `${expression}: ${error}`)
      return data.result
    }
    const first = async (expression: string) => (await query(expression))[0]?.value[1]
    let seen = ''
    const isScraped = async () => {
      seen = JSON.stringify(await api('targets'))
      return seen.includes('"health":"up"')
    }
    await until(isScraped, { what: () => `a scrape: ${seen}` })
    await until(async () => (await first('lvsd_reconcile_drift_total')) === '0', { what: 'samples' })
    const { data: targets } = await api('targets')
    assert.deepEqual(
      targets.activeTargets.map((each: { lastError: string }) => each.lastError),
      [''],
    )
    const ups = await query('lvsd_real_up{service!="edge"}')
    assert.deepEqual(
      Object.fromEntries(ups.map(({ metric, value }) => [`${metric.service} ${metric.real}`, value[1]])),
      { 'web [2001:db8::1]:80': '1', 'web [2001:db8::2]:80': '1', 'mail [2001:db8::3]:25': '0' },
    )
    assert.equal(await first('sum(lvsd_service_kernel_weight{service!="edge"})'), '4')
    // What the panels show happens between two scrapes: a server fails, another one is drained, the file is read again.
    await closeEdge()
    const drained = { service: 'web', real: '[2001:db8::2]:80' }
    const drain = { targets: [drained], effect: { kind: 'drain' as const }, reason: 'a test', until: null }
    await giveOverride(socket, drain)
    await requestReload(socket, false)
    const expressions = dashboardQueries().filter(each => !WITHOUT_DATA.some(known => known.test(each)))
    assert.equal(expressions.length, dashboardQueries().length - WITHOUT_DATA.length)
    for (const expression of expressions)
      await until(async () => (await query(expression)).length > 0, { what: `data for ${expression}` })
    const pending = async () => {
      const { data } = await api('alerts')
      return data.alerts.map((alert: { labels: { alertname: string; service?: string } }) =>
        [alert.labels.alertname, alert.labels.service].join(' '),
      )
    }
    await until(async () => (await pending()).includes('LvsdServiceWithoutServer mail'), { what: 'an alert' })
    const { data: rules } = await api('rules')
    for (const group of rules.groups)
      for (const { name, lastError = '' } of group.rules) assert.equal(lastError, '', name)
    const { data: kinds } = await api('metadata')
    const { types } = samplesOf((await ask({ socketPath: socket }, '/metrics')).body)
    // Since the last scrape of Prometheus others may have come.
    const known = [...types.keys()].filter(name => kinds[name])
    assert.ok(known.length > 50, `Prometheus knows ${known.length} metrics`)
    for (const name of known) assert.equal(kinds[name][0].type, METRICS[name as MetricName].type, name)
  })

  it('gets them from nginx, which publishes nothing else', async function () {
    const nginx = programOr(() => this.skip(), 'nginx', 'nginx-light')
    const port = await publish(nginx, (await lvsd()).socket)
    const other = await ask({ host: '::1', port }, '/v1/status')
    assert.equal(other.status, 404, other.body)
    const ours = await ask({ host: '::1', port }, '/metrics')
    assert.equal(ours.status, 200, ours.body)
  })

  it('finds nothing against its conventions: promtool check metrics', async function () {
    const promtool = programOr(() => this.skip(), 'promtool', 'prometheus')
    const { socket: socketPath } = await lvsd()
    const { type, body } = await ask({ socketPath }, '/metrics')
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
    const open = await ask({ socketPath }, '/metrics', {
      accept: 'application/openmetrics-text;version=1.0.0',
    })
    assert.equal(open.type, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    assert.equal(samplesOf(open.body).value('lvsd_service_up', 'service="mail"'), 0)
  })

  it('accepts the rules, and their tests pass: promtool test rules', function () {
    const promtool = programOr(() => this.skip(), 'promtool', 'prometheus')
    const said = execFileSync(promtool, ['test', 'rules', 'lvsd.rules.test.yml'], {
      cwd: DEPLOY,
      encoding: 'utf8',
    })
    assert.match(said, /SUCCESS/)
    const linted = execFileSync(promtool, ['check', 'rules', '--lint-fatal', 'lvsd.rules.yml'], {
      cwd: DEPLOY,
      encoding: 'utf8',
    })
    assert.match(linted, /SUCCESS/)
  })
})
