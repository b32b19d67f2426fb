/** `lvsd run` with autoreload, as a process: files that are written in pieces, by others, or by its own callback. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fetchStatus, requestReload } from '../../../../src/api/client.js'
import { onCleanup } from '../../../support/after-each.js'
import { installed } from '../../../support/compile.js'
import { temporaryFolder } from '../../../support/folder.js'

const MAIN = installed('main')

const head = (more = '') => `settings: { autoreload: true${more} }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: 'on'
    reals:
`
const reals = (...numbers: readonly number[]) => numbers.map(n => `      - '[fd00::${n}]:80'\n`).join('')
const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(n => n + 10)

async function run(text: string, folder = temporaryFolder()) {
  const file = join(folder, 'site.yaml')
  const socket = join(folder, 'lvsd.sock')
  writeFileSync(file, text)
  const places = ['--kernel', 'memory', '--socket', socket, '--state', folder]
  const child = spawn(process.execPath, [MAIN, 'run', file, ...places])
  const ended = once(child, 'exit')
  onCleanup(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let log = ''
  child.stdout.on('data', chunk => {
    log += chunk
  })
  const count = (words: string) => log.split(words).length - 1
  const hears = async (words: string, times = 1) => {
    while (count(words) < times) {
      assert.equal(child.exitCode, null, log)
      await setTimeout(20)
    }
  }
  await hears('"msg":"lvsd runs"')
  const serving = async () => {
    const { services } = await fetchStatus(socket)
    return services.flatMap(each => each.reals).filter(({ weight }) => weight.kernel !== null).length
  }
  while ((await serving()) < 10) await setTimeout(20)
  return { folder, file, socket, hears, count, serving, log: () => log }
}

describe('run-autoreload: lvsd run with autoreload', () => {
  it('removes no server while a file is written in two halves, cut at the end of a line', async () => {
    const { file, serving, hears, count } = await run(head() + reals(...TEN))
    const whole = head() + reals(...TEN, 31)
    const half = whole.slice(0, whole.indexOf("      - '[fd00::17]"))
    writeFileSync(file, half)
    const least: number[] = []
    for (const end = performance.now() + 3500; performance.now() < end; await setTimeout(50))
      least.push(await serving())
    appendFileSync(file, whole.slice(half.length))
    await hears('is in force')
    assert.equal(Math.min(...least), 10)
    assert.equal(count('is in force'), 1)
    while ((await serving()) < 11) await setTimeout(20)
  })

  it('removes a server after the file has not changed for a while', async () => {
    const { file, serving, hears } = await run(head() + reals(...TEN))
    writeFileSync(file, head() + reals(...TEN.slice(1)))
    await hears('the configuration has changed: ')
    await hears('is in force')
    while ((await serving()) > 9) await setTimeout(20)
  })

  it('removes the servers of an included file at once where one was moved into place, not where it was emptied, and ten seconds after it is gone', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'services.d'))
    const path = join(folder, 'services.d', 'mail.yaml')
    const mail = (...numbers: readonly number[]) => `services:
  mail:
    virtual: '[2001:db8::25]:25'
    check: 'on'
    reals:
${reals(...numbers)}`
    writeFileSync(path, mail(41, 42))
    const { socket, serving, hears, count, log } = await run(
      `include: services.d/*.yaml\n${head()}${reals(...TEN)}`,
      folder,
    )
    while ((await serving()) < 12) await setTimeout(20)
    writeFileSync(join(folder, 'new'), mail(41))
    // A move is known as such to those who have looked before.
    await setTimeout(2000)
    renameSync(join(folder, 'new'), path)
    await hears('is in force')
    assert.equal(count('config.waits'), 0)
    while ((await serving()) > 11) await setTimeout(20)
    writeFileSync(path, '# emptied\n')
    const { ok, message } = await requestReload(socket, false)
    assert.deepEqual([ok, await serving()], [false, 11])
    assert.match(message, /mail\.yaml is empty, comments aside, and it would remove 1 of 11 real servers/)
    rmSync(path)
    const least: number[] = []
    for (const end = performance.now() + 5000; performance.now() < end; await setTimeout(50))
      least.push(await serving())
    assert.equal(Math.min(...least), 11)
    assert.match(log(), /"config.waits".*the changed configuration \(\S*mail\.yaml \(gone\)\) has fewer/)
    await hears('is in force', 2)
    while ((await serving()) > 10) await setTimeout(20)
  }).timeout(60_000)

  it('reloads once for an edit and a manual reload, with one callback', async () => {
    const folder = temporaryFolder()
    const top = head(`, callback: 'echo >>${folder}/called'`)
    const { file, socket, hears, count } = await run(top + reals(...TEN), folder)
    writeFileSync(file, top + reals(...TEN, 31))
    assert.equal((await requestReload(socket, false)).ok, true)
    await setTimeout(4000)
    await hears('the configuration has changed: ')
    assert.deepEqual([count('is in force'), count('the configuration has changed: ')], [1, 1])
    assert.equal(readFileSync(join(folder, 'called'), 'utf8'), `${file}\n`)
  })

  it('retries a reload that was refused because a secret was missing', async () => {
    const { file, folder, hears, count } = await run(head() + reals(...TEN))
    const secret = join(folder, 'secret')
    const check = `check: { kind: redis, passwd: { file: ${secret} } }`
    writeFileSync(file, (head() + reals(...TEN, 31)).replace("check: 'on'", check))
    await hears('reload refused')
    writeFileSync(secret, 'hunter2\n')
    await hears('is in force')
    assert.equal(count('reload refused'), 1)
  })

  it('does not run a callback in a loop if it changes the file', async () => {
    const { file, hears } = await run(head(`, callback: 'sleep 3; echo "#" >>'`) + reals(...TEN))
    appendFileSync(file, '# an edit\n')
    await hears('the callback changes the configuration at each run')
    const text = readFileSync(file, 'utf8')
    await setTimeout(4000)
    assert.equal(readFileSync(file, 'utf8'), text)
  }).timeout(120_000)
})
