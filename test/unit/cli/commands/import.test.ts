/** lvsd import, as it is typed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/import.js'
import { loadConfig } from '../../../../src/config/load.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'

const SITE = `# The shop of the company.
# Ask the web team.
checktimeout=3 # seconds
checkinterval=5
fork=yes
# quiescent is no by default

# The front.
virtual=192.0.2.1:80
	# the old one
	real=198.51.100.1:80 masq 2 # rack 1
	real=198.51.100.2:80 masq "status", "OK"
	fallback=127.0.0.1:80 masq
	#persistent=600
	scheduler=wlc
	load="x"
	# to be moved

# The names.
virtual=192.0.2.1:53
	real=198.51.100.3:53 ipip
	request="www.example.com"
	receive="192.0.2.1"
# The end.
`

async function imported(text: string, name = 'site.cf') {
  const folder = await mkdtemp(join(tmpdir(), 'lvsd-import-'))
  onCleanup(() => rm(folder, { recursive: true }))
  const file = join(folder, name)
  await writeFile(file, text)
  const { context, out, err } = testContext()
  const exit = command.run({ ...context, options: {}, arguments: { FILE: file } })
  return { exit, out, err, file }
}

describe('lvsd import', () => {
  it('prints the equivalent YAML with the comments where they stood', async () => {
    const { exit, out } = await imported(SITE)
    assert.equal(await exit, EXIT.ok)
    assert.equal(
      out(),
      `# Imported from site.cf; lines with #! say what differs from ldirectord, and what to look at.
# The names of the services are servicename, else made of port and address. They are free: choose your own.

# The shop of the company.
# Ask the web team.
defaults:
  quiescent: false
  cleanstop: true
  check:
    interval: 5s
    fastinter: 5s
    fall: 1
    rise: 1
  #! fork=yes -- fork has no effect: all checks run side by side in one process
  # quiescent is no by default

services:
  # The front.
  #! redirects are followed, to other hosts too, as ldirectord does; redirects: 0 judges them by their status
  http-192.0.2.1:
    virtual: '192.0.2.1:80'
    protocol: tcp
    # persistent=600
    scheduler: wlc
    check:
      kind: http
      timeout: 3s # seconds
      request: /
      redirects: 7
      otherhosts: true
    reals:
      # the old one
      - '198.51.100.1:80 masq 2' # rack 1
      - address: '198.51.100.2:80'
        forwarding: masq
        weight: 1
        check: { request: /status, receive: OK }
    #! 127.0.0.1 is the director itself: with masq the kernel drops the packets of clients on other machines;
    #!  with gate clients reach what listens on this machine at the virtual address, port 80
    fallback: '127.0.0.1:80 masq'
    #! load="x" -- load has no effect: ldirectord reads it and never uses it
    # to be moved

  # The names.
  dns-192.0.2.1:
    virtual: '192.0.2.1:53'
    protocol: udp
    scheduler: wrr
    check:
      kind: dns
      timeout: 3s
      transport: udp
      request: www.example.com
      receive: '192.0.2.1'
    reals:
      - '198.51.100.3:53 ipip 1'
    # The end.
`,
    )
  })

  it('writes a warning about the whole service at its line, with the file that the message means', async () => {
    const { exit, out } = await imported(
      'virtual=192.0.2.1:80\n\treal=198.51.100.1:80 masq\n\tfallback=198.51.100.1:80 masq\n\tchecktype=on\n',
    )
    assert.equal(await exit, EXIT.ok)
    assert.match(
      out(),
      /\n {4}#! the fallback is the real server in line 2 of site\.cf, too\n {4}fallback: '198\.51\.100\.1:80 masq'\n/,
    )
  })

  it('keeps comments beside their lines where the file begins with a virtual', async () => {
    const { exit, out } = await imported(
      'virtual=192.0.2.1:80 # one\n\treal=198.51.100.1:80 masq # two\n\tchecktype=on\n',
    )
    await exit
    assert.match(out(), /virtual: '192\.0\.2\.1:80' # one\n/)
    assert.match(out(), /- '198\.51\.100\.1:80 masq 1' # two\n/)
  })

  it('reports what has no equivalent, by line', async () => {
    const { exit, err } = await imported(SITE)
    await exit
    assert.match(err(), /site\.cf:5:1 note NEEDLESS {2}fork has no effect/)
    assert.match(err(), /site\.cf:16:2 note NEEDLESS {2}load has no effect/)
  })

  it('gives the same configuration, with other names', async () => {
    const { exit, out, file } = await imported(SITE)
    await exit
    const [before, after] = [await loadConfig(file), await loadConfig('site.yaml', { text: out() })]
    assert.deepEqual(
      after.config?.services.map(({ name }) => name),
      ['http-192.0.2.1', 'dns-192.0.2.1'],
    )
    const services = after.config?.services.map((service, i) => ({
      ...service,
      name: before.config?.services[i]?.name,
    }))
    assert.deepEqual({ ...after.config, file, services }, before.config)
  })

  it('names services as servicename does, else so that a shell needs no quotes', async () => {
    const section = (virtual: string, more = '') => `${virtual}\n\tchecktype=connect\n\tcheckport=80\n${more}`
    const { exit, out } = await imported(
      [
        section('virtual6=[2001:db8::80]:80', '\tservicename=the shop\n'),
        section('virtual6=[2001:db8::80]:443', '\tservicename=the shop\n'),
        section('virtual6=[2001:db8::81]:80'),
        section('virtual6=[2001:db8::81]:53', '\tprotocol=tcp\n'),
        section('virtual6=[2001:db8::81]:8080'),
        section('virtual=www.example.com:25'),
        section('virtual6=5'),
      ].join(''),
    )
    await exit
    const { config } = await loadConfig('site.yaml', { text: out() })
    assert.deepEqual(
      config?.services.map(({ name }) => name),
      [
        'the-shop',
        'the-shop-https',
        'http-2001:db8::81',
        'dns-tcp-2001:db8::81',
        '8080-2001:db8::81',
        'smtp-www.example.com',
        'mark6-5',
      ],
    )
  })

  it('writes nothing where a line is wrong', async () => {
    const { exit, out, err } = await imported(`${SITE}virtual=192.0.2.300:80\n`)
    await assert.rejects(
      exit,
      (error: CommandError) => error.exit === EXIT.problem && /1 error/.test(error.message),
    )
    assert.equal(out(), '')
    assert.match(err(), /site\.cf:25:9 BAD_ADDRESS/)
  })

  it('says so where there is nothing to import', async () => {
    const { exit } = await imported('services: {}\n', 'site.yaml')
    await assert.rejects(exit, /looks like YAML already/)
  })
})
