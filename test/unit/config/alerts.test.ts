/** Receivers of alerts in the configuration. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { temporaryFolder } from '../../support/folder.js'

const SITE = `services:
  web:
    virtual: '[2001:db8::80]'
    ports: [80, 443]
    check: { kind: connect, checkport: 80 }
    reals: ['[2001:db8::1]:0']
`

async function loaded(alerts: string, file = 'site.yaml') {
  return loadConfig(file, { text: `${SITE}${alerts}` })
}

async function receivers(alerts: string) {
  const { config, problems } = await loaded(alerts)
  assert.deepEqual(
    problems.filter(({ severity }) => severity !== 'note'),
    [],
  )
  return config?.alerts
}

const COMMON = { secret: null, headers: {}, ca: null, events: ['*'], services: ['*'], severity: 'warning' }

describe('alerts in YAML', () => {
  it('are absent without receivers', async () => {
    assert.equal(await receivers(''), undefined)
  })

  it('may be webhooks, Alertmanagers and commands, with defaults', async () => {
    const text = `alerts:
  chat: { webhook: 'https://chat.example/x' }
  prometheus: { alertmanager: 'http://am.example:9093/' }
  both: { alertmanager: ['http://am1.example', 'http://am2.example/prefix/'] }
  pager: { command: [/bin/true, --team, web] }
`
    const timeout = 10_000
    assert.deepEqual(await receivers(text), [
      { kind: 'webhook', name: 'chat', url: 'https://chat.example/x', timeout, ...COMMON },
      { kind: 'alertmanager', name: 'prometheus', urls: ['http://am.example:9093'], timeout, ...COMMON },
      {
        kind: 'alertmanager',
        name: 'both',
        urls: ['http://am1.example', 'http://am2.example/prefix'],
        timeout,
        ...COMMON,
      },
      { kind: 'command', name: 'pager', argv: ['/bin/true', '--team', 'web'], timeout: 30_000, ...COMMON },
    ])
  })

  it('take secrets from files and variables, and paths from the folder of the file', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'site.yaml')
    for (const [name, text] of [
      ['hook.url', 'https://chat.example/token\n'],
      ['hook.key', 'abc\n'],
    ] as const)
      writeFileSync(join(folder, name), text)
    const alerts = `alerts:
  chat:
    webhook: { file: hook.url }
    secret: { file: hook.key }
    headers: { Authorization: { env: PATH }, X-Team: web }
    ca: ca.pem
    timeout: 3s
    events: [real.*, service.panic]
    services: [web, web/tcp/443]
    severity: critical
`
    const { config, problems } = await loaded(alerts.replace('web/tcp/443', 'web/443'), file)
    assert.deepEqual(problems, [])
    assert.deepEqual(config?.alerts, [
      {
        kind: 'webhook',
        name: 'chat',
        url: 'https://chat.example/token',
        secret: 'abc',
        headers: { Authorization: process.env.PATH, 'X-Team': 'web' },
        ca: join(folder, 'ca.pem'),
        timeout: 3000,
        events: ['real.*', 'service.panic'],
        services: ['web', 'web/443'],
        severity: 'critical',
      },
    ])
  })

  it('may stand in included files, too', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'more.yaml'), "alerts:\n  two: { webhook: 'https://two.example/' }\n")
    const alerts = "include: more.yaml\nalerts:\n  one: { webhook: 'https://one.example/' }\n"
    const { config } = await loaded(alerts, join(folder, 'site.yaml'))
    assert.deepEqual(
      config?.alerts?.map(({ name }) => name),
      ['one', 'two'],
    )
    const twice = await loaded(alerts.replace('one:', 'two:'), join(folder, 'site.yaml'))
    assert.deepEqual(
      twice.problems.map(({ code }) => code),
      ['DUPLICATE_KEY'],
    )
  })

  it('warn about a service that is not there, and a program that cannot be run', async () => {
    const { problems } = await loaded(
      "alerts:\n  a: { webhook: 'https://x.example/', services: [wbe] }\n  b: { command: [/does/not/exist] }\n",
    )
    assert.deepEqual(
      problems.map(({ severity, code, message }) => [severity, code, message]),
      [
        ['warning', 'BAD_ALERTS', 'no service has the name "wbe"; did you mean "web"?'],
        ['warning', 'COMMAND_UNAVAILABLE', 'command: /does/not/exist does not exist'],
      ],
    )
  })

  it('are shown without secrets, whatever is wrong', async () => {
    for (const wrong of [
      "webhook: 'https://x.example/hEiMlIcH'\n    nonsense: 1",
      "webhook: 'x.example/hEiMlIcH'",
      "webhook: 'https://x.example/'\n    headers: { Authorization: hEiMlIcH, 'a b': hEiMlIcH }",
      "webhook: 'https://x.example/'\n    headers: { Authorization: [hEiMlIcH] }",
      "webhook: 'https://x.example/'\n    secret: [hEiMlIcH]",
      "webhok: 'https://x.example/hEiMlIcH'",
      "alertmanager: 'https://u:hEiMlIcH@x.example/'\n    timeout: x",
      "alertmanager: 'ftp://u:hEiMlIcH@x.example/'",
    ]) {
      const result = await loaded(`alerts:\n  a:\n    ${wrong}\n`)
      assert.ok(result.problems.length > 0, wrong)
      const shown = renderProblems(result) + JSON.stringify(result.problems)
      assert.ok(!shown.includes('hEiMlIcH'), `${wrong}\n${shown}`)
    }
  })

  for (const [text, code, words] of [
    ["{ webhook: 'https://x.example/', timeout: 6m }", 'BAD_VALUE', 'at most 5m'],
    ["{ webhook: 'https://x.example/', severity: info }", 'UNKNOWN_WORD', 'warning'],
    ["{ webhook: 'https://x.example/', events: [] }", 'OUT_OF_RANGE', ''],
    ['{ alertmanager: [] }', '', ''],
    ['{ command: /bin/true }', 'WRONG_TYPE', 'list'],
    ['https://x.example/', 'WRONG_TYPE', 'a mapping with webhook, alertmanager or command'],
  ] as const)
    it(`cannot be ${text}`, async () => {
      const { problems } = await loaded(`alerts:\n  a: ${text}\n`)
      const errors = problems.filter(({ severity }) => severity === 'error')
      assert.equal(errors.length, 1)
      if (code !== '') assert.equal(errors[0]?.code, code, errors[0]?.message)
      assert.ok(errors[0]?.message.includes(words), errors[0]?.message)
    })
})
