/** No secret of a configuration is ever shown: a word that stands in each place for one must not come out anywhere. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionKit } from '../../../src/check/option-kit.js'
import { markOf } from '../../../src/check/option-types.js'
import { command as importing } from '../../../src/cli/commands/import.js'
import { command as planning } from '../../../src/cli/commands/plan.js'
import { command as probing } from '../../../src/cli/commands/probe.js'
import { command as validating } from '../../../src/cli/commands/validate.js'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { startDirector } from '../../../src/director/compose.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { onCleanup } from '../../support/after-each.js'
import { testContext } from '../../support/context.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { refusedPort, saying } from '../../support/servers.js'
import { until } from '../../support/until.js'

const CANARY = 'Kanarienvogel'
const { checks } = await loadChecks()

interface Place {
  readonly kind: string
  readonly option: string
  readonly sort: 'text' | 'list' | 'map'
}

/** Every option of every kind that is marked. */
const PLACES: readonly Place[] = [...new Set(checks.values())].flatMap(check =>
  Object.entries(check.options(optionKit)).flatMap(([option, type]) => {
    const sort = markOf(type).secret
    return sort ? [{ kind: check.name, option, sort }] : []
  }),
)

/** Of each option one kind that has it. */
const ONE_OF_EACH = PLACES.filter(
  (place, i) => PLACES.findIndex(({ option }) => option === place.option) === i,
)

const FLOW = {
  text: `'${CANARY}'`,
  list: `['send PASS ${CANARY}', 'expect x']`,
  map: `{ X-Key: 'Bearer ${CANARY}' }`,
}
const PLAIN = { text: CANARY, list: `[send PASS ${CANARY}, expect x]`, map: `{ Cookie: a=${CANARY} }` }
const BLOCK = {
  text: `|-\n        some\n        ${CANARY}`,
  list: `\n        - send ${CANARY}\n        - >-\n          send\n          ${CANARY}`,
  map: `\n        Authorization: Basic ${CANARY}\n        Cookie: "a\n          ${CANARY}"`,
}

const SITE = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    reals: ['[2001:db8:1::11]:80']\n`

/** The option's value, with one mistake beside it, in each form. */
function* mistakesOf({ kind, option, sort }: Place): Generator<string> {
  for (const values of [FLOW, PLAIN]) {
    const value = values[sort]
    yield `    check: { kind: ${kind}, ${option}: ${value}, nonsense: 1 }\n`
    yield `    check: { kind: ${kind}, interval: x, ${option}: ${value} }\n`
    yield `    check: { kind: ${kind}x, ${option}: ${value} }\n`
    yield `    check: { kind: ${kind}, ${option}: [${value}] }\n`
    if (sort !== 'text') yield `    check: { kind: ${kind}, ${option}: { file: ${value} } }\n`
    yield `    check: { kind: ${kind}, ${option}s: ${value} }\n`
    yield `    check: { kind: ${kind}, ${option}: ${value}, ${option}: ${value} }\n`
    yield `    check: { kind: ${kind}, ${option}: ${value}\n`
    yield `    check: { kind: ${kind}, ${option}: ${value}: b }\n`
    yield `    check: { kind: ${kind}, ${option}: ${value}\n\t}\n`
    yield `    chekc: { kind: ${kind}, ${option}: ${value} }\n`
    yield `    check: [{ kind: ${kind}, ${option}: ${value} }, { kind: 1 }]\n`
    yield `    check: { "kind": "${kind}", "${option}": ${value.replaceAll("'", '"')}, "nonsense": 1 }\n`
    yield `    check:\n      kind: ${kind}\n      ${option}: ${value} : x\n`
    yield `    check:\n      kind: ${kind}\n      ${option}: ${value}\n     y: 1\n`
  }
  const block = BLOCK[sort]
  yield `    check:\n      kind: ${kind}\n      ${option}: ${block}\n      nonsense: 1\n`
  yield `    check:\n      kind: ${kind}x\n      ${option}: ${block}\n`
  yield `    check:\n      kind: ${kind}\n      ${option}: ${block}: [\n      fall: 0\n`
  yield `    check:\n      kind: ${kind}\n      ${option}: ${block}\n       x: ${CANARY}\n`
  yield `    check:\n      ${option}: ${block}\n      fall: x\n`
}

describe('canary: what is said of a configuration', () => {
  for (const place of ONE_OF_EACH)
    it(`shows no ${place.option} of ${place.kind}, whatever is wrong with the file`, async () => {
      let told = 0
      for (const text of mistakesOf(place)) {
        const loaded = await loadConfig('site.yaml', { text: SITE + text })
        const shown = renderProblems(loaded) + JSON.stringify(loaded.problems)
        assert.ok(!shown.includes(CANARY), `${text}\n${shown}`)
        told += loaded.problems.length
      }
      assert.ok(told > 20)
    })

  it('shows no secret of any kind where that is right', async () => {
    for (const { kind, option, sort } of PLACES) {
      const text = `${SITE}    check: { kind: ${kind}, ${option}: ${FLOW[sort]} }\n    nonsense: 1\n`
      const loaded = await loadConfig('site.yaml', { text })
      assert.ok(!renderProblems(loaded).includes(CANARY), text)
    }
  })

  it('shows no password of a URL', async () => {
    for (const check of [
      `{ kind: http_proxy, request: 'ftp://u:${CANARY}@h/', x: 1 }`,
      `{ kind: http, request: 'http://u:${CANARY}@h/x' }`,
      `{ kind: http, virtualhost: 'http://u:${CANARY}@h' }`,
      `{ kind: http, checkaddress: 'http://u:${CANARY}@h' }`,
    ]) {
      const loaded = await loadConfig('site.yaml', { text: `${SITE}    check: ${check}\n` })
      assert.ok(loaded.problems.length > 0, check)
      assert.ok(!(renderProblems(loaded) + JSON.stringify(loaded.problems)).includes(CANARY), check)
    }
  })

  it('shows none of an ldirectord.cf', async () => {
    for (const line of [
      `passwd="${CANARY}`,
      `passwd=${CANARY}`,
      `passwd="a" ${CANARY}`,
      `passwd='${CANARY}'`,
      `passwd = se#${CANARY}`,
      `password="${CANARY}"`,
      `secret="${CANARY}"`,
      `passwd ${CANARY}`,
    ]) {
      const text = `virtual=192.0.2.1:110\n\treal=198.51.100.1:110 masq\n\tservice=pop\n\tlogin="u"\n\t${line}\n`
      const loaded = await loadConfig('site.cf', { text })
      const shown = renderProblems(loaded) + JSON.stringify(loaded.problems)
      assert.ok(!shown.includes(CANARY), `${line}\n${shown}`)
    }
  })
})

/** A right site with every secret, each at a server that answers nonsense, and at one that refuses. */
async function site(): Promise<string> {
  const folder = temporaryFolder()
  const [odd, none] = [await saying('-ERR 500 nonsense\r\n'), await refusedPort()]
  const needed: Readonly<Record<string, string>> = {
    http_proxy: "request: 'http://www.example/', ",
    oracle: 'database: x, ',
    mysql: 'database: x, ',
    pgsql: 'database: x, ',
    'external-perl': 'checkcommand: /bin/true, ',
  }
  const values = {
    text: CANARY,
    list: `['send PASS ${CANARY}', 'send-hex 00']`,
    map: `{ authorization: 'Basic ${CANARY}', cookie: ${CANARY} }`,
  }
  const services = [...new Set(PLACES.map(({ kind }) => kind))].map((kind, i) => {
    const options = PLACES.filter(place => place.kind === kind && place.option !== 'body')
    const has = (name: string) => Object.hasOwn(checks.get(kind)?.options(optionKit) ?? {}, name)
    const login = has('login') ? 'login: u, ' : ''
    const words = options.map(({ option, sort }) => `${option}: ${values[sort]}`).join(', ')
    return `  ${kind}:\n    virtual: '[2001:db8::${i + 1}]:80'\n    check: { kind: ${kind}, ${needed[kind] ?? ''}${login}${words}, interval: 300ms, timeout: 250ms, fall: 1 }\n    reals: ['[::1]:${odd.port}', '[::1]:${none}']\n`
  })
  const file = join(folder, 'site.yaml')
  writeFileSync(
    file,
    `settings: { socket: s, state: state, log-level: debug }\nservices:\n${services.join('')}`,
  )
  return file
}

describe('canary: commands and the daemon', () => {
  it('show no secret of a configuration that is right', async () => {
    const CONFIG = await site()
    const shown: string[] = []
    const rims = () => {
      const { context, out, err } = testContext()
      return { context, out, keep: () => shown.push(out(), err()) }
    }
    for (const json of [true, false]) {
      const [validate, plan, probe] = [rims(), rims(), rims()]
      assert.equal(
        await validating.run({ ...validate.context, options: { json } as never, arguments: { CONFIG } }),
        0,
        validate.out(),
      )
      const assume = { assume: 'up', kernel: 'memory', json } as const
      await planning.run({ ...plan.context, options: assume, arguments: { CONFIG } })
      const words = { CONFIG, SERVICE: undefined, REAL: undefined }
      await probing.run({ ...probe.context, options: { json }, arguments: words })
      for (const each of [validate, plan, probe]) each.keep()
    }
    assert.ok(shown.join('').length > 10_000)
    assert.ok(!shown.join('').includes(CANARY), shown.find(text => text.includes(CANARY))?.slice(0, 3000))
  })

  it('log none at any level, and tell none in their status', async () => {
    const file = await site()
    const loaded = await loadConfig(file)
    const { config } = loaded
    assert.ok(config)
    const { log, lines } = recordingLog('debug')
    const daemon = await startDirector({
      loaded: { ...loaded, config },
      kept: null,
      keep: async () => {},
      load: () => loadConfig(file),
      table: 'memory',
      log,
      env: {},
    })
    onCleanup(() => daemon.stop())
    const checked = () => new Set(lines.filter(({ msg }) => msg === 'check').map(({ job }) => job))
    const jobs = config.services.flatMap(({ reals }) => reals).length
    await until(() => checked().size >= jobs, { what: () => `${checked().size} of ${jobs} checks have run` })
    await daemon.reload(true)
    const shown = JSON.stringify(lines) + JSON.stringify(await daemon.status())
    assert.ok(
      !shown.includes(CANARY),
      lines.map(line => JSON.stringify(line)).find(line => line.includes(CANARY)),
    )
  })

  it('write a password into the YAML that is imported, and nowhere else', async () => {
    const file = join(temporaryFolder(), 'site.cf')
    const text = `virtual=192.0.2.1:110\n\treal=198.51.100.1:110 masq\n\tservice=pop\n\tlogin="u"\n\tpasswd=${CANARY}\n\tfoo\n`
    writeFileSync(file, text.replace('\tfoo\n', ''))
    const { context, out, err } = testContext()
    await importing.run({ ...context, options: {}, arguments: { FILE: file } })
    assert.deepEqual(
      out()
        .split('\n')
        .filter(line => line.includes(CANARY))
        .map(line => line.trim()),
      [`passwd: ${CANARY}`],
    )
    assert.match(err(), /MISSING_QUOTES/)
    assert.ok(!err().includes(CANARY))
  })
})
