/**
 * Real files beside the models that the real parser makes of them. They belong to others, so they are read where they
 * lie and left out where they do not.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Loaded, loadConfig } from '../../src/config/load.js'
import { compare, type Fact, type Model } from './ldirectord-model.js'
import { afterImport, loadCf } from './ldirectord-site.js'

const CORPUS = fileURLToPath(new URL('../../../shared/corpus/ldirectord/', import.meta.url))

/** A case of the grammar: a small file and what the real parser says of it. The text is of bytes. */
interface GrammarCase {
  readonly name: string
  readonly text: string
  readonly rc: number
  readonly messages: readonly string[]
  readonly model?: Model
}

interface Tally {
  equal: number
  readonly better: Map<string, number>
  readonly different: string[]
}

/** What lvsd refuses and ldirectord takes for something that nobody can have meant. */
const REFUSED_ON_PURPOSE: ReadonlyMap<string, string> = new Map([
  ['BAD_ADDRESS', 'ldirectord guesses: a firewall mark from an address, a host from behind rubbish'],
  ['BAD_VALUE', 'ldirectord guesses: digits in a checktype, a netmask of 999, a pattern that kills it later'],
  ['BAD_REAL', 'ldirectord reads no server at all from a range with two ports'],
  ['PORT_ZERO', 'the kernel refuses the service'],
  ['EMPTY', 'an empty file is more likely an accident than a wish'],
  ['NOT_UTF8', 'the file is not UTF-8'],
])

/** Where ours is another than theirs, and why that is better; null where it is not. */
function reasonFor(fact: Fact, { problems }: Loaded): string | null {
  const codes = new Set(problems.map(({ code }) => code))
  const { what, theirs, ours } = fact
  const check = ['kind', 'timeout', 'request', 'receive', 'virtualhost', 'httpmethod', 'target'].includes(
    what,
  )
  if (what === 'fallback' && theirs.startsWith(':0 ')) return 'the global fallback works for firewall marks'
  if (check && codes.has('NOT_BUILT') && what !== 'target')
    return 'a check that is not built yet is told by line'
  if (codes.has('DNS_QUESTION') && what === 'request')
    return 'a question where ldirectord asks nothing and has the server down'
  if (codes.has('DOUBLE_COLON')) return 'two colons are one'
  if (codes.has('REAL_TWICE')) return 'a real server stands once'
  if (codes.has('THRESHOLD_QUOTES') || codes.has('THRESHOLD_ORDER'))
    return 'thresholds count as the man page has them'
  if (codes.has('RANGE') && (what === 'address' || what === 'target'))
    return 'names of a range are resolved while lvsd runs'
  if (codes.has('NOT_BUILT') && what === 'target') return 'a URL that names another host is told by line'
  if (what === 'port' && theirs === '0' && ours !== '0')
    return 'direct routing has the port of the virtual, as in the kernel'
  if (codes.has('PORT_MAPPED') && what === 'port')
    return 'direct routing has the port of the virtual, as in the kernel'
  if (fact.where.startsWith('tcp:[:')) return 'ldirectord cannot read IPv4 addresses in the form of IPv6'
  if (what === 'virtualhost' && theirs.trim() === ours) return 'blanks at the end are no part of a host name'
  if (/[^\x20-\x7e]/.test(theirs) && Buffer.from(theirs, 'latin1').toString() === ours)
    return 'text is UTF-8, not bytes'
  if (ours === '-' && ['interval', 'failurecount'].includes(what))
    return 'a virtual without real servers has no checks'
  return null
}

/** Why a file that ldirectord refuses may pass: it is told by line. */
function reasonForAccepting({ config, problems }: Loaded): string | null {
  if (config?.services.some(({ monitorfile }) => monitorfile !== null))
    return 'a monitorfile that cannot be written is told in the log and stops nothing'
  if (problems.some(({ code, severity }) => severity === 'warning' && code !== 'TIMEOUT_OVER_INTERVAL'))
    return 'accepted with a warning that names the line'
  return problems.some(({ code }) => code === 'NAME') ? 'names are resolved while lvsd runs' : null
}

function weigh(name: string, model: Model, loaded: Loaded, tally: Tally): void {
  if (!loaded.config) {
    const errors = loaded.problems.filter(({ severity }) => severity === 'error')
    const why = errors.map(({ code }) => REFUSED_ON_PURPOSE.get(code)).find(reason => reason !== undefined)
    count(name, why === undefined ? null : `refused: ${why}`, tally, JSON.stringify(errors))
    return
  }
  for (const fact of compare(model, loaded.config)) {
    if (fact.theirs === fact.ours) tally.equal++
    else count(name, reasonFor(fact, loaded), tally, JSON.stringify(fact))
  }
}

function count(name: string, reason: string | null, tally: Tally, detail: string): void {
  if (reason === null) tally.different.push(`${name}: ${detail}`)
  else tally.better.set(reason, (tally.better.get(reason) ?? 0) + 1)
}

function tableOf({ equal, better, different }: Tally): string {
  const rows = [...better].map(([reason, times]) => `    better    ${String(times).padStart(5)}  ${reason}`)
  return [
    `    equal     ${String(equal).padStart(5)}`,
    ...rows,
    `    different ${String(different.length).padStart(5)}`,
  ].join('\n')
}

describe('real files of ldirectord', () => {
  before(function () {
    if (!existsSync(CORPUS)) this.skip()
  })

  it('become what the real parser makes of them', async () => {
    const tally: Tally = { equal: 0, better: new Map(), different: [] }
    for (const file of readdirSync(`${CORPUS}golden`)) {
      const model = JSON.parse(readFileSync(`${CORPUS}golden/${file}`, 'utf8')) as Model
      weigh(file, model, await loadConfig(`${CORPUS}${file.replace(/json$/, 'cf')}`), tally)
    }
    console.log(tableOf(tally))
    assert.deepEqual(tally.different, [])
    assert.ok(tally.equal > 1000)
  })

  it('agree with the real parser on every case of the grammar', async () => {
    const cases = JSON.parse(readFileSync(`${CORPUS}grammar-cases.json`, 'utf8')) as GrammarCase[]
    const tally: Tally = { equal: 0, better: new Map(), different: [] }
    for (const { name, text, rc, model } of cases) {
      const loaded = await loadConfig('case.cf', { text: Buffer.from(text, 'latin1').toString('utf8') })
      if (rc === 0 && model) weigh(name, model, loaded, tally)
      else if (!loaded.config) tally.equal++
      else {
        count(name, reasonForAccepting(loaded), tally, 'accepted without a word')
      }
    }
    console.log(tableOf(tally))
    assert.deepEqual(tally.different, [])
    assert.ok(tally.equal > 1000)
  })

  it('are the same configuration after an import', async () => {
    let imported = 0
    for (const file of readdirSync(CORPUS).filter(name => name.endsWith('.cf'))) {
      const loaded = await loadCf(readFileSync(`${CORPUS}${file}`, 'utf8'))
      if (!loaded.config) continue
      assert.deepEqual(await afterImport(loaded), loaded.config, file)
      imported++
    }
    assert.ok(imported > 40)
  })
})
