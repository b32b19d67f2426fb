/** Reading in a thread of its own, which is compiled: a thread starts in a third of the time then. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Loaded, loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { compiled } from '../../support/compile.js'
import { FORMS, ODDITIES } from '../../support/config/forms.js'
import { temporaryFolder } from '../../support/folder.js'

type Apart = typeof import('../../../src/config/load-apart.js')
let loadConfigApart: Apart['loadConfigApart']

const REALS = 5000
/** Milliseconds of computing without a pause: 10 to 25 as a rule. Time in which others had the processor does not count. */
const LONGEST_BLOCK = 50

/** Milliseconds that this thread, the first of its process, has computed so far. */
function computed(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
}

/** The longest that this thread computed before somebody else had a turn. */
async function blockOf(file: string, text: string): Promise<{ block: number; loaded: Loaded }> {
  let last = computed()
  let block = 0
  const look = () => {
    const now = computed()
    block = Math.max(block, now - last)
    last = now
  }
  const timer = setInterval(look, 1)
  const loaded = await loadConfigApart(file, { text })
  await setTimeout(5)
  clearInterval(timer)
  return { block, loaded }
}

describe('load-apart: a configuration that is read in a separate thread', function () {
  this.timeout(180_000)
  before(async () => {
    loadConfigApart = ((await import(compiled('config/load-apart'))) as Apart).loadConfigApart
    await loadConfigApart('a.yaml', { text: 'services: {}' })
  })

  for (const [name, textFor] of Object.entries(FORMS))
    it(`does not block the event loop with ${REALS} real servers: ${name}`, async () => {
      const { block, loaded } = await blockOf(...textFor(REALS))
      const reals = loaded.config?.services.flatMap(service => service.reals)
      assert.equal(reals?.length, REALS)
      assert.ok(block < LONGEST_BLOCK, `${block} ms`)
    })

  for (const [name, textFor] of Object.entries(ODDITIES))
    it(`does not block the event loop, and is read or refused: ${name}`, async () => {
      const { block, loaded } = await blockOf(...textFor(REALS))
      assert.ok(loaded.problems.length > 0 && loaded.problems.length <= 1001)
      assert.ok(renderProblems(loaded).length < 200_000)
      assert.ok(block < LONGEST_BLOCK, `${block} ms`)
    })

  it('is equal to one that is read in the main thread, and also frozen', async () => {
    for (const [name, textFor] of Object.entries(FORMS)) {
      const [file, text] = textFor(400)
      const [apart, here] = [await loadConfigApart(file, { text }), await loadConfig(file, { text })]
      assert.deepEqual(apart.config, here.config, name)
      assert.deepEqual(apart.problems, here.problems, name)
      assert.equal(apart.text, text)
      assert.deepEqual([...apart.checks.keys()], [...here.checks.keys()])
      const real = apart.config?.services[0]?.reals[0]
      assert.ok(
        Object.isFrozen(apart.config) && Object.isFrozen(real) && Object.isFrozen(real?.checks[0]?.options),
      )
    }
  })

  it('has the objects of a configuration that is known, where the text says the same', async () => {
    const [file, text] = FORMS['block YAML']?.(400) ?? ['', '']
    const first = await loadConfigApart(file, { text })
    assert.ok(first.config)
    const known = { ...first, config: first.config }
    const again = await loadConfigApart(file, { text: `# another\n${text}` }, undefined, known)
    assert.deepEqual(again.config, first.config)
    assert.deepEqual(
      again.config?.services.map((service, i) => service === first.config?.services[i]),
      first.config.services.map(() => true),
    )
    const other = await loadConfigApart(
      file,
      { text: text.replace('weight: 2', 'weight: 9') },
      undefined,
      known,
    )
    const here = await loadConfig(file, { text: text.replace('weight: 2', 'weight: 9') })
    assert.deepEqual(other.config, here.config)
  })

  it('reports the same problems as in the main thread', async () => {
    const file = join(temporaryFolder(), 'site.yaml')
    writeFileSync(file, 'services:\n  web:\n    vritual: x\n')
    const [apart, here] = [await loadConfigApart(file), await loadConfig(file)]
    assert.equal(apart.config, null)
    assert.deepEqual(apart.problems, here.problems)
    assert.equal(renderProblems(apart), renderProblems(here))
    assert.equal((await loadConfigApart(`${file}.not`)).problems[0]?.code, 'FILE_UNREADABLE')
  })

  it('may have user checks, which are described in separate threads', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'checks'), { mode: 0o755 })
    const code = `export const check = {
      name: 'tea', summary: 'asks for tea',
      options: kit => ({ cups: kit.number(1, 'Cups'), leaf: kit.secret(null, 'Leaf') }),
      validate: ({ cups }) => (cups > 9 ? 'too many cups' : null),
      async run() { return { ok: true, reason: null, detail: 'tea' } },
    }`
    writeFileSync(join(folder, 'checks/tea.mjs'), code, { mode: 0o644 })
    writeFileSync(join(folder, 'leaf'), 'assam\n')
    const file = join(folder, 'site.yaml')
    const textWith = (cups: number) =>
      `settings: { checks: [checks] }\nservices:\n  web:\n    virtual: '[2001:db8::80]:80'\n    check: { kind: tea, cups: ${cups}, leaf: { file: leaf } }\n    reals: ['[2001:db8:1::11]:80']\n`
    const { config, checks, problems } = await loadConfigApart(file, { text: textWith(3) })
    assert.deepEqual(problems, [])
    assert.deepEqual(config?.services[0]?.reals[0]?.checks[0]?.options, { cups: 3, leaf: 'assam' })
    assert.equal(checks.get('tea')?.summary, 'asks for tea')
    const wrong = await loadConfigApart(file, { text: textWith(10) })
    assert.deepEqual(
      wrong.problems.map(({ message }) => message),
      ['tea: too many cups'],
    )
    const shown = renderProblems(
      await loadConfigApart(file, { text: textWith(10).replace('{ file: leaf }', 'assam') }),
    )
    assert.match(shown, /leaf: \*{5} \}/)
  })

  it('is cancelled if it takes too much time or memory', async () => {
    const [file, text] = FORMS['JSON on one line']?.(10_000) ?? ['', '']
    const late = await loadConfigApart(file, { text }, { patience: 1, memory: 512 })
    const big = await loadConfigApart(file, { text }, { patience: 60_000, memory: 24 })
    for (const { config, problems } of [late, big]) {
      assert.equal(config, null)
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['TOO_COSTLY'],
      )
    }
    assert.match(late.problems[0]?.message ?? '', /takes longer than 0.001 s/)
    assert.match(big.problems[0]?.message ?? '', /takes more than 24 MiB/)
  })
})
