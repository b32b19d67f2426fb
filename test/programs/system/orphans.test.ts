/** What commands leave behind, in a process of its own that runs them, and what they find of that process. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { scoresBeside } from '../../../src/system/process-marks.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

let folder: string
beforeEach(() => {
  folder = realpathSync(temporaryFolder())
})

function script(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

/**
 * A sleeper that writes its number into the file `name`, as a daemon: it has a session of its own, nothing of the
 * environment, nothing open, and its parent has ended.
 */
function daemon(name: string): string {
  const sleeper = script(
    `${name}.sh`,
    `echo $$ >${folder}/${name}.new; mv ${folder}/${name}.new ${folder}/${name}\nexec sleep 300`,
  )
  onCleanup(() => {
    const pid = Number(numbers(name)[0] ?? 0)
    if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  return `(setsid /usr/bin/env -i ${sleeper} </dev/null >/dev/null 2>&1 &)\nwhile ! [ -e ${folder}/${name} ]; do sleep 0.01; done`
}

const numbers = (name: string) =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim().split(/\s+/) : []

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const tsx = () => createRequire(import.meta.url).resolve('tsx')

/** Runs code in a process that may run commands; `zombies()`: its children that have ended and are still there. */
async function elsewhere(code: string, { shell = '', score = '' } = {}): Promise<string> {
  const file = join(folder, 'elsewhere.mts')
  const url = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href)
  writeFileSync(
    file,
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs'
     import { setTimeout as pause } from 'node:timers/promises'
     const [score] = process.argv.slice(2, 3).filter(word => /^\\d/.test(word))
     if (score) writeFileSync('/proc/self/oom_score_adj', score)
     const { check } = await import(${url('checks/external.ts')})
     const { probe } = await import(${url('test/support/probe.ts')})
     const { openCommandQueue } = await import(${url('src/notify/command-queue.ts')})
     const { recordingLog } = await import(${url('test/support/logs.ts')})
     const run = (checkcommand: string, timeout = 20_000) => probe(check, 80, { checkcommand }, { timeout })
     const hooks = openCommandQueue(recordingLog().log)
     const hook = (line: string) => hooks.run('web', line, [])
     const pidIn = (name: string) => Number(readFileSync('${folder}/' + name, 'utf8'))
     const state = (pid: number) => {
       try { return /^State:\\s+(\\w)/m.exec(readFileSync('/proc/' + pid + '/status', 'utf8'))?.[1] } catch { return 'gone' }
     }
     const gone = async (name: string) => {
       for (let i = 0; i < 500 && state(pidIn(name)) !== 'gone'; i++) await pause(20)
       return state(pidIn(name))
     }
     ${code}`,
  )
  const line = `${shell} exec ${process.execPath} --import ${tsx()} ${file} "$@"`
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line, 'sh', score])
  return stdout.trim()
}

describe('orphans: what leaves a check', function () {
  this.timeout(60_000)

  it('is ended when the run is over, wherever it went, and nothing of it stays', async () => {
    const check = script('check', `${daemon('one')}\n${daemon('two')}\nexit 0`)
    const said = await elsewhere(`const { ok } = await run('${check}')
      console.log(ok, await gone('one'), await gone('two'))`)
    assert.equal(said, 'true gone gone')
  })

  it('is ended when the run comes to its deadline', async () => {
    const check = script('check', `trap '' TERM\n${daemon('one')}\nsleep 300`)
    const said = await elsewhere(`const running = run('${check}', 3000)
      console.log((await running).reason, await gone('one'))`)
    assert.equal(said, 'timeout gone')
  })

  it('is ended though it begins anew in another session again and again', async () => {
    const hop = script(
      'hop',
      `echo $$ >>${folder}/hops\nn=$(($1 + 1)); sleep 0.02\n[ $n -lt 200 ] && setsid ${folder}/hop $n </dev/null >/dev/null 2>&1 &\nexit 0`,
    )
    const check = script('check', `setsid ${hop} 0 </dev/null >/dev/null 2>&1 &\nexit 0`)
    await elsewhere(`await run('${check}'); await pause(3000)`)
    const hops = numbers('hops').map(Number)
    assert.ok(hops.length < 200, `${hops.length} hops`)
    assert.deepEqual(hops.filter(isAlive), [])
  })

  /**
   * Runs commands, and then makes `one` as a fork leaves it that copied the score of its parent just before that got another one. Such
   * a fork comes at most a second after the start of a command; where a busy machine took longer, all is done again.
   */
  const unmarkedAfter = (commands: string) => `
    const { spawn } = await import('node:child_process')
    const { rmSync } = await import('node:fs')
    const { statOf } = await import(${JSON.stringify(new URL('../../../src/system/process-files.ts', import.meta.url).href)})
    const ticks = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100
    for (;;) {
      const before = ticks()
      ${commands}
      spawn('/bin/sh', ['${script('unmarked', daemon('one'))}'], { detached: true, stdio: 'ignore' })
      while (!existsSync('${folder}/one')) await pause(10)
      if (statOf(pidIn('one')).start - before < 100) break
      process.kill(pidIn('one'), 'SIGKILL')
      rmSync('${folder}/one')
    }`

  it('is ended though it was missed as its run was marked', async () => {
    const check = script('check', 'exit 0')
    const said = await elsewhere(`${unmarkedAfter(`await run('${check}')`)}
      await run('${check}')
      console.log(await gone('one'))`)
    assert.equal(said, 'gone')
  })

  it('stays where it was missed and may as well come from a hook', async () => {
    const check = script('check', 'exit 0')
    const page = script('page', 'exit 0')
    const said = await elsewhere(`${unmarkedAfter(`await run('${check}')\n await hook('${page}')`)}
      await run('${check}')
      await pause(500)
      console.log(state(pidIn('one')))`)
    assert.equal(said, 'S')
  })

  it('is left alone while the run goes on, which may need it', async () => {
    const check = script('check', `${daemon('one')}\nsleep 1\nkill -0 $(cat ${folder}/one)`)
    const said = await elsewhere(`const { ok } = await run('${check}')
      console.log(ok, await gone('one'))`)
    assert.equal(said, 'true gone')
  })

  it('is ended with lvsd, in the middle of a run', async () => {
    const check = script('check', `${daemon('one')}\nsleep 300`)
    await elsewhere(`void run('${check}')
      while (!existsSync('${folder}/one')) await pause(10)
      process.exit(0)`)
    const pid = Number(numbers('one')[0])
    for (let i = 0; i < 250 && isAlive(pid); i++) await new Promise(done => setTimeout(done, 20))
    assert.equal(isAlive(pid), false)
  })

  it('is ended where another thread runs the check', async () => {
    const check = script('check', `${daemon('one')}\nexit 0`)
    const said = await elsewhere(`const { isMainThread, Worker } = await import('node:worker_threads')
      const { prepareToRun } = await import(${JSON.stringify(new URL('../../../src/system/processes.ts', import.meta.url).href)})
      prepareToRun()
      if (isMainThread) {
        const loader = "import(process.argv[2]).then(({ register }) => register()).then(() => import(process.argv[3]))"
        const argv = ['${new URL('esm/api/index.mjs', pathToFileURL(tsx())).href}', import.meta.url]
        const worker = new Worker(loader, { eval: true, argv })
        await new Promise(resolve => worker.once('exit', resolve))
        console.log(await gone('one'))
      } else await run('${check}')`)
    assert.equal(said, 'gone')
  })
})

describe('orphans: what leaves a hook', function () {
  this.timeout(60_000)
  it('stays, while what leaves a check beside it goes; its end is taken note of', async () => {
    const page = script('page', daemon('page'))
    const check = script('check', `${daemon('one')}\nexit 0`)
    const said = await elsewhere(`await hook('${page}')
      const { ok } = await run('${check}')
      const first = [ok, await gone('one'), state(pidIn('page'))]
      process.kill(pidIn('page'), 'SIGTERM')
      console.log(...first, await gone('page'))`)
    assert.equal(said, 'true gone S gone')
  })
})

describe('orphans: what reaches a command of lvsd', () => {
  it('is three descriptors and no more, whatever lvsd was started with', async () => {
    const check = script('check', 'fds=$(ls /proc/$$/fd)\necho $fds')
    const code = `console.log((await run('${check}')).detail)`
    const said = await elsewhere(code, { shell: 'exec 7</dev/null 9>/dev/null;' })
    // The shell has its script open by 10 and reads what ls says by 3.
    assert.equal(said, 'exit 0: 0 1 10 2 3')
  })
})

describe('orphans: the OOM score of a command', () => {
  it('is above that of lvsd, a check goes first, and tells whose a process is', () => {
    for (const [own, director, hook, check] of [
      [-1000, -999, 0, 500],
      [-900, -899, 0, 500],
      [-1, 0, 1, 500],
      [0, 1, 2, 500],
      [498, 499, 500, 501],
      [996, 997, 998, 999],
    ] as const)
      assert.deepEqual(scoresBeside(own), { worker: check + 1, check, hook, director, areMarks: true })
    for (const own of [997, 998, 999, 1000]) assert.equal(scoresBeside(own).areMarks, false)
  })

  it('reaches all that the command starts, while lvsd keeps its own', async function () {
    this.timeout(60_000)
    const show = (name: string) =>
      script(name, `sleep 0.5\ncat /proc/self/oom_score_adj >${folder}/${name}.score`)
    const check = script('check', `${show('early')} &\nwait\n${show('late')}`)
    const said = await elsewhere(
      `await run('${check}'); await hook('${show('hook')}')
       console.log(readFileSync('/proc/self/oom_score_adj', 'utf8').trim())`,
      { score: '300' },
    )
    assert.deepEqual(
      [said, ...['early', 'late', 'hook'].flatMap(name => numbers(`${name}.score`))],
      ['300', '500', '500', '302'],
    )
  })
})
