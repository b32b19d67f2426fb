import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { runOnce } from '../../../src/check/run.js'
import { parseAddress } from '../../../src/core/address.js'
import { MarkedProbes } from '../../../src/schedule/marked-probes.js'
import { calls } from '../../../src/system/numeric-calls.js'
import { onCleanup } from '../../support/after-each.js'
import { tcpServer } from '../../support/servers.js'

const address = parseAddress('::1') as NonNullable<ReturnType<typeof parseAddress>>

/** Sets the limit on open files of this process. */
function limitTo(soft: string): void {
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${soft}:`])
}

/** Opens files until the kernel refuses. Returns a function that closes them. */
function useAllDescriptors(): () => void {
  const fds: number[] = []
  try {
    for (;;) fds.push(openSync('/dev/null', 'r'))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE')
  }
  return () => fds.forEach(closeSync)
}

describe('marked-probes: a run', () => {
  it('without descriptors has no verdict, and the next one has', async () => {
    const server = await tcpServer(() => {})
    const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    limitTo('300')
    onCleanup(() => limitTo(soft))
    const probes = new MarkedProbes()
    onCleanup(() => probes.close())
    const { port } = server
    const judge = { kind: 'connected' } as const
    // Loads the library, which takes descriptors too.
    calls()
    const release = useAllDescriptors()
    const begin = probes.begin(
      { kind: 'tcp', address, port, send: new Uint8Array(), end: false, reset: false, judge },
      () => null,
    )
    const run = () => runOnce((_, timeout, done) => begin(timeout, done), null, 10_000)
    const refused = await run().finally(release)
    assert.deepEqual([refused.ok, refused.reason], [null, 'no-verdict'])
    assert.match(refused.detail, /EMFILE/)
    const { ok, detail } = await run()
    assert.equal(ok, true, detail)
  })
})
