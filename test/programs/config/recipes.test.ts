/** The recipes: each is valid, and its checks are put to real programs where this machine has them. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runCheck } from '../../../src/check/run-code.js'
import { loadConfig } from '../../../src/config/load.js'
import type { CheckResult, Service } from '../../../src/core/model.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { packageRoot } from '../../../src/system/version.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { Place } from '../../support/checks/services.js'
import { temporaryFolder } from '../../support/folder.js'
import { httpServer, saying, tcpServer } from '../../support/servers.js'
import { smtpServer } from '../../support/smtp-server.js'

const FOLDER = join(packageRoot, 'config/recipes')
const RECIPES = readdirSync(FOLDER).filter(name => name.endsWith('.yaml'))
const PASSWORD = 'geheim'

/** A recipe with its passwords beside it, after some changes of its text. */
async function recipe(name: string, change: (text: string) => string = text => text) {
  const folder = temporaryFolder()
  cpSync(FOLDER, folder, { recursive: true })
  for (const secret of ['galera', 'redis']) writeFileSync(join(folder, `${secret}.passwd`), `${PASSWORD}\n`)
  const file = join(folder, name)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, change(text))
  return loadConfig(file)
}

/** The checks of a service's first real server, put to programs on ::1; each kind to its port. */
async function ask(
  loaded: Awaited<ReturnType<typeof recipe>>,
  name: string,
  ports: Readonly<Record<string, number>>,
  which = 0,
  timeout = 10_000,
): Promise<readonly CheckResult[]> {
  const { config, checks } = loaded
  assert.ok(config, JSON.stringify(loaded.problems))
  const service = config.services.find(each => each.name === name)
  const real = service?.reals[which]
  assert.ok(service && real)
  const uses = real.checks.map(use => ({ ...use, port: ports[use.kind] ?? use.port, host: '::1' }))
  const asked: Service = { ...service, reals: [{ ...real, checks: uses }] }
  const { jobs } = jobsOf(resolveConfig({ ...config, services: [asked] }, new Map()).config, checks)
  return Promise.all(
    [...jobs.values()].map(({ check, target, use }) =>
      runCheck({ check, target, options: use.options }, timeout),
    ),
  )
}

const allPass = (results: readonly CheckResult[]) =>
  assert.deepEqual(
    results.filter(({ ok }) => ok !== true),
    [],
    JSON.stringify(results),
  )

describe('recipes', () => {
  it('are ten, each told of in their README', () => {
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8')
    assert.equal(RECIPES.length, 10)
    for (const name of RECIPES) assert.ok(readme.includes(`[${name}](${name})`), name)
  })

  for (const name of RECIPES)
    it(`are right: ${name}`, async () => {
      const { config, problems } = await recipe(name)
      // A plug-in that is not installed here is all that may be said.
      assert.deepEqual(
        problems.filter(({ code }) => code !== 'CHECK_UNAVAILABLE'),
        [],
      )
      assert.ok(config && config.services.length > 0)
    })

  for (const name of RECIPES)
    it(`say themselves what is told of them as they stand: ${name}`, async () => {
      const { problems, text } = await loadConfig(join(FOLDER, name))
      for (const { code } of problems) assert.ok(text.includes(code), `${name} says nothing of ${code}`)
    })

  it('fit their comments: names, ports, forwarding', async () => {
    const dns = await recipe('dns.yaml')
    assert.deepEqual(
      dns.config?.services.map(({ name, attributes }) => [name, attributes.onePacket]),
      [
        ['dns/udp', true],
        ['dns/tcp', false],
      ],
    )
    const direct = await recipe('direct-routing.yaml')
    assert.deepEqual(
      direct.config?.services.map(({ name }) => name),
      ['web/80', 'web/443', 'web4'],
    )
    const canary = await recipe('canary-by-agent.yaml')
    const kinds = canary.config?.services[0]?.reals.map(({ checks }) => checks.map(({ kind }) => kind))
    assert.deepEqual(kinds, [['http'], ['http'], ['http', 'agent']])
    assert.equal(canary.config?.services[0]?.reals[2]?.checks[0]?.options.request, '/health')
  })
})

describe('recipes: the checks of a recipe', function () {
  this.timeout(90_000)

  it('pass at a canary and its agent', async () => {
    const web = await httpServer((_, response) => response.end('alive'))
    const agent = await tcpServer(socket => socket.end('50%\n'))
    const results = await ask(
      await recipe('canary-by-agent.yaml'),
      'shop',
      { http: web.port, agent: agent.port },
      2,
    )
    allPass(results)
    assert.match(JSON.stringify(results), /"percent":50/)
  })

  it('pass at web servers, and at a plug-in of Nagios', async function () {
    const web = await httpServer((_, response) => response.end('ok'))
    for (const name of ['tunnels.yaml', 'direct-routing.yaml', 'names.yaml']) {
      const loaded = await recipe(name)
      allPass(await ask(loaded, loaded.config?.services[0]?.name ?? '', { http: web.port }))
    }
    const plugin = '/usr/lib/nagios/plugins/check_http'
    const { problems } = await recipe('nagios-plug-in.yaml')
    if (problems.length > 0) {
      assert.ok(!process.env.CI, `CI needs ${plugin}: install the package monitoring-plugins-standard`)
      return this.skip()
    }
    const [result] = await ask(await recipe('nagios-plug-in.yaml'), 'web', { external: web.port })
    assert.equal(result?.ok, true, result?.detail)
    assert.match(result.detail, /HTTP OK/)
  })

  it('pass at a mail server', async () => {
    const smtp = await smtpServer()
    const imap = await saying('* OK IMAP4rev1 ready\r\n')
    const [mail, news] = await ask(
      await recipe('mail-on-firewall-mark.yaml'),
      'mail',
      {
        smtp: smtp.port,
        imap: imap.port,
      },
      0,
      2000,
    )
    assert.equal(mail?.ok, true, mail?.detail)
    assert.ok(news)
  })

  it('pass at a Redis primary, and not at one for replicas', async function () {
    const program = programOr(() => this.skip(), 'redis-server', 'redis-server')
    const port = await freePort()
    const loaded = await recipe('redis-primary.yaml')
    const words = /ACL SETUSER lvsd on >… (.*)/.exec(loaded.text)?.[1]?.split(' ') ?? []
    assert.ok(words.length > 3)
    await start(
      program,
      ['--bind', '::1', '--port', `${port}`, '--save', '', '--user', 'lvsd', 'on', `>${PASSWORD}`, ...words],
      [port],
    )
    allPass(await ask(loaded, 'redis-write', { redis: port }))
    const [replica] = await ask(loaded, 'redis-read', { redis: port })
    assert.equal(replica?.ok, false)
  })

  it('pass at a name server over both protocols', async function () {
    const program = programOr(() => this.skip(), 'named', 'bind9')
    const port = await freePort()
    const folder = folderOf({
      zone: '$TTL 60\n@ SOA ns.example.com. root.example.com. 1 60 60 60 60\n@ NS ns.example.com.\nns AAAA ::1\nwww AAAA 2001:db8::80\n',
    })
    writeFileSync(
      join(folder, 'named.conf'),
      `options { directory "${folder}"; listen-on-v6 port ${port} { ::1; }; listen-on { none; }; pid-file none; recursion no; };\ncontrols { };\nzone "example.com" { type primary; file "${folder}/zone"; };\n`,
    )
    await start(program, ['-g', '-c', join(folder, 'named.conf')], [port])
    const loaded = await recipe('dns.yaml')
    // It listens before it has read its zones.
    let results = await ask(loaded, 'dns/udp', { dns: port })
    for (let i = 0; i < 50 && results.some(({ ok }) => !ok); i++) {
      await setTimeout(100)
      results = await ask(loaded, 'dns/udp', { dns: port })
    }
    allPass(results)
  })

  it('read the state of a MariaDB node', async function () {
    const program = programOr(() => this.skip(), 'mariadbd', 'mariadb-server')
    const place = new Place()
    try {
      const port = await freePort()
      const data = `${place.folder}/data`
      const user = process.getuid?.() === 0 ? ['--user=root'] : []
      const install = program.replace(/sbin\/mariadbd$/, 'bin/mariadb-install-db')
      place.run(install, [
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        ...user,
      ])
      const init = place.file('init.sql', `CREATE USER lvsd@'%' IDENTIFIED BY '${PASSWORD}';\n`)
      const loaded = await recipe('galera.yaml')
      const state = async (text = loaded) => (await ask(text, 'galera', { mysql: port }))[0]
      await place.start(
        program,
        [
          '--no-defaults',
          ...user,
          `--datadir=${data}`,
          `--port=${port}`,
          '--bind-address=::1',
          `--socket=${place.folder}/socket`,
          `--init-file=${init}`,
          '--skip-log-bin',
        ],
        async () => (await state())?.reason === 'unexpected',
      )
      assert.match((await state())?.detail ?? '', /^no rows/)
      // It belongs to no cluster: another of its states has to do.
      const alone = await recipe('galera.yaml', text =>
        text.replace('wsrep_local_state_comment', 'uptime').replace('^Synced$', '^[0-9]+$'),
      )
      assert.equal((await state(alone))?.ok, true, (await state(alone))?.detail)
    } finally {
      await place.close()
    }
  })
})
