import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNotify } from '../../../src/system/sd-notify.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'

const LISTENER = `
  use IO::Socket::UNIX; $| = 1;
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
  print "bound\\n";
  while (1) { recv($socket, my $text, 4096, 0); $text =~ s/\\n/|/g; print "$text\\n"; }
`

/** Another process listens as systemd would; Node itself has no datagram socket of this family. */
async function listener() {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-notify-'))
  const path = join(folder, 'notify')
  const child = spawn('perl', ['-e', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onCleanup(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  let heard = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    heard += chunk
  })
  const until = async (text: string) => {
    while (!heard.includes(text)) await once(child.stdout, 'data')
  }
  await until('bound')
  return { path, until }
}

function hasPerl(): boolean {
  try {
    execFileSync('perl', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('sd-notify: systemd', () => {
  before(function () {
    if (!hasPerl()) this.skip()
  })

  it('is told that lvsd is ready, reloads and stops', async () => {
    const { path, until } = await listener()
    const notify = openNotify({ NOTIFY_SOCKET: path }, recordingLog().log)
    notify.ready('3 services')
    await until('READY=1|STATUS=3 services')
    notify.reloading()
    await until('RELOADING=1|MONOTONIC_USEC=')
    notify.stopping()
    await until('STOPPING=1')
    notify.close()
  })

  it('has its watchdog fed in half of its period', async () => {
    const { path, until } = await listener()
    const notify = openNotify({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000' }, recordingLog().log)
    await until('WATCHDOG=1')
    notify.close()
  })

  it('is not spoken to where it does not listen, and its absence is told once', () => {
    openNotify({}, recordingLog().log).ready('')
    const { log, lines } = recordingLog()
    const notify = openNotify({ NOTIFY_SOCKET: '/nonexistent/notify' }, log)
    notify.ready('')
    notify.stopping()
    assert.equal(lines.length, 1)
  })
})
