import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { check as dialogue } from '../../../checks/dialogue.js'
import { check as external } from '../../../checks/external.js'
import { tlsOptions } from '../../../checks/lib/tls.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { onCleanup } from '../../support/after-each.js'
import { problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
import { hangUpServer, saying } from '../../support/servers.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const readme = readFileSync(join(root, 'checks/README.md'), 'utf8')

/** The block that follows its file's name. */
function example(name: string): string {
  const [, after] = readme.split(`\`${name}\`\n\n`)
  const block = /^```\w+\n([\s\S]*?)^```$/m.exec(after ?? '')?.[1]
  assert(block, `README.md has no ${name}`)
  return block
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-readme-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  return folder
}

function write(folder: string, name: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), example(name))
}

describe('checks/README.md', () => {
  it('has an example of a new check that passes its own test', async function () {
    this.timeout(60_000)
    const folder = scratch()
    for (const name of ['checks/memcached.ts', 'test/unit/checks/memcached.test.ts']) write(folder, name)
    for (const name of ['src', 'node_modules', 'package.json', 'test/support', 'checks/lib'])
      symlinkSync(join(root, name), join(folder, name))
    const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
    const argv = [mocha, '--spec', 'test/unit/checks/memcached.test.ts', '--reporter', 'dot']
    const child = spawn(process.execPath, argv, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const output of [child.stdout, child.stderr])
      output.on('data', chunk => {
        said += chunk
      })
    const [code] = await once(child, 'close')
    assert.equal(code, 0, said)
    assert.match(said, /2 passing/)
  })

  it("has an example of a user's own check that loads and works", async () => {
    const folder = scratch()
    writeFileSync(join(folder, 'lag.mjs'), example('/etc/lvsd/checks/lag.mjs'))
    const { checks, problems } = await loadChecks([folder])
    assert.deepEqual(problems, [])
    const check = checks.get('lag')
    assert(check)
    assert.equal((await probe(check, await saying('3\n'), { most: 5 })).ok, true)
    assert.equal((await probe(check, await saying('7\n'), { most: 5 })).reason, 'unexpected')
    assert.equal((await probe(check, await hangUpServer())).reason, 'closed')
  })

  it('has an example of a plug-in whose options are right', () => {
    const block = readme.split('Nagios plug-ins work as they are:')[1]?.split('```')[1] ?? ''
    const { kind, ...options } = parse(block.replace(/^yaml/, '')).check
    assert.equal(kind, 'external')
    assert.equal(problemOf(external, options), null)
  })

  it('has examples of dialogues whose options are right', () => {
    const section = readme.split('## Dialogues')[1]?.split('## Commands')[0] ?? ''
    const blocks = [...section.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => parse(block).check)
    assert.equal(blocks.length, 2)
    for (const { kind, ...options } of blocks) {
      assert.equal(kind, 'dialogue')
      assert.equal(problemOf(dialogue, options), null)
    }
  })

  it('describes every method of the kit', () => {
    const told = [...readme.matchAll(/^\| `kit\.(\w+)\(/gm)].map(([, word]) => word)
    assert.deepEqual(told.sort(), Object.keys(optionKit).sort())
  })
})

describe('readme: the checks of this folder', () => {
  it('all load, each with a line about itself and about each option', async () => {
    const { checks, problems } = await loadChecks()
    assert.deepEqual(problems, [])
    for (const check of checks.values()) {
      assert.match(check.summary, /^[a-z].*[^.]$/, check.name)
      for (const [name, type] of Object.entries(check.options(optionKit)))
        assert.ok(type.description, `${check.name}: ${name}`)
    }
  })

  it('have all options of TLS if they have one of them', async () => {
    const { checks } = await loadChecks()
    const all = Object.keys(tlsOptions(optionKit))
    const speaking = [...new Set(checks.values())].filter(check => 'verify' in check.options(optionKit))
    assert.ok(speaking.length >= 18, speaking.map(({ name }) => name).join())
    for (const check of speaking) {
      const options = check.options(optionKit)
      for (const name of all) assert.ok(name in options, `${check.name} has no ${name}`)
    }
  })
})
