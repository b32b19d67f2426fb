/** A mail into the queue of a real mail server. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { deliverer } from '../../../../src/notify/mail/transport.js'
import { folderOf, freePort, programOr, start } from '../../../support/checks/programs.js'
import { tlsFile } from '../../../support/tls-file.js'

/** Takes mails for example.com and keeps them in its queue. */
async function exim(file: string) {
  const port = await freePort()
  const folder = folderOf({})
  const { uid, gid } = userInfo()
  const configuration = folderOf({
    'exim.conf': `
      exim_user = ${uid}
      exim_group = ${gid}
      queue_only
      spool_directory = ${folder}
      log_file_path = ${folder}/%slog
      pid_file_path = ${folder}/pid
      primary_hostname = mail.example.com
      local_interfaces = <; [::1]:${port}
      tls_advertise_hosts = *
      tls_certificate = ${tlsFile('server.crt')}
      tls_privatekey = ${tlsFile('key.pem')}
      rfc1413_query_timeout = 0s
      acl_smtp_rcpt = rcpt
      begin acl
      rcpt:
        accept domains = example.com
        deny message = no relaying
      `.replace(/^ {6}/gm, ''),
  })
  await start(file, ['-C', `${configuration}/exim.conf`, '-bdf'], [port], 'SIGTERM')
  /** The head that Exim keeps of the one mail, with its recipients. */
  const queued = () => {
    const files = readdirSync(join(folder, 'input')).filter(name => name.endsWith('-H'))
    assert.equal(files.length, 1)
    return readFileSync(join(folder, 'input', files[0] ?? ''), 'utf8')
  }
  return { port, queued }
}

describe('exim', function () {
  this.timeout(60_000)

  it('takes a mail inside TLS, for those that it takes mails for', async function () {
    const { port, queued } = await exim(programOr(() => this.skip(), 'exim4', 'exim4-daemon-light'))
    const route = {
      to: ['Ann <ann@example.com>', 'bob@example.com', 'eve@example.net'],
      from: 'lvsd <lvsd@example.com>',
      server: { host: '::1', port },
    }
    const letter = {
      route,
      subject: '[Shop] Deleted real server: [2001:db8::a]:80 ([2001:db8::1]:80)',
      text: 'so\n',
      at: 0,
      items: [],
      more: 0,
    }
    const deliver = deliverer({ host: 'director1.example.com' })
    const { again, refused, fault } = await deliver(letter, route.to, AbortSignal.timeout(15_000))
    assert.deepEqual([again, refused, fault?.code], [[], ['eve@example.net'], '550'])
    const head = queued()
    assert.match(head, /^2\nann@example\.com\nbob@example\.com\n$/m)
    assert.match(head, /\(TLS1\.\d\)/)
    assert.match(head, /Subject: \[Shop\] Deleted real server: \[2001:db8::a\]:80\s+\(\[2001:db8::1\]:80\)\n/)
    assert.match(head, /From: lvsd <lvsd@example\.com>\n/)
  })
})
