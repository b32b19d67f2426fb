import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { check as tcp } from '../../../checks/connect.js'
import { check as dns } from '../../../checks/dns.js'
import { check as external } from '../../../checks/external.js'
import { check as http } from '../../../checks/http.js'
import { check as https } from '../../../checks/https.js'
import { check as simpletcp } from '../../../checks/simpletcp.js'
import { check as udp } from '../../../checks/udp.js'
import { folderOf, freePort, programOr, start, startNginx } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe, targetOf } from '../../support/probe.js'
import { tlsFile } from '../../support/tls-file.js'

const SLOW = { timeout: 15_000 }

async function nginx(file: string): Promise<{ plain: number; secure: number }> {
  const [plain, secure] = [await freePort(), await freePort()]
  const folder = folderOf({ 'page.html': '<p>all is ok, Grüße</p>\n', users: 'root:{PLAIN}secret\n' })
  const http = `
    ssl_certificate ${tlsFile('server.crt')}; ssl_certificate_key ${tlsFile('key.pem')};
    server {
      listen [::1]:${plain}; listen [::1]:${secure} ssl http2; root ${folder};
      location /moved { return 302 /page.html; }
      location /private { auth_basic lvsd; auth_basic_user_file ${folder}/users; try_files /page.html =404; }
    }
    server {
      listen [::1]:${plain}; listen [::1]:${secure} ssl http2; server_name www.example.com;
      return 200 "the named one";
    }`
  await startNginx(file, { folder, ports: [plain, secure], http })
  return { plain, secure }
}

describe('real-servers: nginx', function () {
  this.timeout(60_000)

  it('is judged by page, name, login, redirect and protocol', async function () {
    const file = programOr(() => this.skip(), 'nginx', 'nginx-light')
    const { plain, secure } = await nginx(file)
    const page = { request: 'page.html', receive: 'is ok, Grüße' }
    const trusted = { verify: true, ca: tlsFile('ca.crt') }
    const cases: [typeof http | typeof https, Record<string, unknown>, boolean][] = [
      [http, page, true],
      [http, { request: 'none.html' }, false],
      [http, { request: 'none.html', status: 404 }, true],
      [http, { ...page, receive: 'not there' }, false],
      [http, { virtualhost: 'www.example.com', receive: 'the named one' }, true],
      [http, { ...page, request: '/moved' }, false],
      [http, { ...page, request: '/moved', redirects: 1 }, true],
      [http, { ...page, request: '/private' }, false],
      [http, { ...page, request: '/private', login: 'root', passwd: 'secret' }, true],
      [http, { request: 'page.html', httpmethod: 'HEAD' }, true],
      [https, page, true],
      [https, { ...page, ...trusted }, true],
      [https, { ...page, http2: true }, true],
      [https, { ...trusted, virtualhost: 'www.example.com', receive: 'the named one' }, true],
      [https, { ...trusted, virtualhost: 'www.example.com', receive: 'the named one', http2: true }, true],
      [https, { ...trusted, virtualhost: 'www.example.org' }, false],
      [https, { ...page, request: '/moved', redirects: 1 }, true],
    ]
    for (const [check, options, ok] of cases) {
      const port = check === https ? secure : plain
      const result = await probe(check as typeof http, port, options, SLOW)
      assert.equal(result.ok, ok, `${check.name} ${JSON.stringify(options)}: ${result.detail}`)
    }
    assert.equal((await probe(tcp, plain, {}, SLOW)).ok, true)
    const text = {
      request: 'GET /page.html HTTP/1.0\\r\\n\\r\\n',
      receive: 'all is ok, Grüße</p>$',
      halfclose: false,
    }
    assert.equal((await probe(simpletcp, plain, { ...text, receive: 'not there' }, SLOW)).ok, false)
    await diesAnywhere(simpletcp, plain, text, { spare: 1 })
    await diesAnywhere(http, plain, page)
    await diesAnywhere(https, secure, page, { spare: 40 })
    const wrong = await probe(https, plain, {}, SLOW)
    assert.match(wrong.detail, /does not speak TLS/)
  })

  it('is judged alike by the plug-in check_http', async function () {
    const file = programOr(() => this.skip(), 'nginx', 'nginx-light')
    const plugin = '/usr/lib/nagios/plugins/check_http'
    const { plain } = await nginx(file)
    for (const [url, ok] of [
      ['/page.html', true],
      ['/none.html', true],
      ['/page.html', false],
    ] as const) {
      const text = ok ? [] : ['-s', 'not there']
      const options = {
        checkcommand: plugin,
        nagios: true,
        arguments: ['-H', '{address}', '-p', '{port}', '-u', url, ...text],
      }
      const result = await probe(external, targetOf(plain), options, SLOW)
      if (/does not exist/.test(result.detail)) {
        assert.ok(!process.env.CI, 'CI needs the package monitoring-plugins-basic')
        this.skip()
      }
      assert.equal(result.ok, ok, result.detail)
    }
  })
})

describe('real-servers: haproxy', function () {
  this.timeout(60_000)

  it('is judged over HTTP/1.1 and HTTP/2', async function () {
    const file = programOr(() => this.skip(), 'haproxy', 'haproxy')
    const [plain, secure] = [await freePort(), await freePort()]
    const pem = readFileSync(tlsFile('server.crt'), 'utf8') + readFileSync(tlsFile('key.pem'), 'utf8')
    const folder = folderOf({ 'server.pem': pem })
    const configuration = folderOf({
      'haproxy.cfg': `
global
  log stderr format raw local0 emerg
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind [::1]:${plain}
  bind [::1]:${secure} ssl crt ${folder}/server.pem alpn h2,http/1.1
  http-request return status 503 if { path /down }
  http-request return status 200 content-type text/plain string ok
`,
    })
    await start(file, ['-db', '-f', `${configuration}/haproxy.cfg`], [plain, secure])
    for (const [check, port, options] of [
      [http, plain, {}],
      [https, secure, {}],
      [https, secure, { http2: true }],
    ] as const) {
      const good = await probe(check as typeof http, port, { receive: '^ok$', ...options }, SLOW)
      assert.equal(good.ok, true, good.detail)
      const bad = await probe(check as typeof http, port, { request: 'down', ...options }, SLOW)
      assert.equal(bad.reason, 'status', bad.detail)
      const spare = 'http2' in options ? 80 : 40
      const resetsAreSilent = 'http2' in options
      await diesAnywhere(
        check as typeof http,
        port,
        { receive: '^ok$', ...options },
        { spare: port === plain ? 0 : spare, resetsAreSilent },
      )
    }
  })
})

describe('real-servers: named', function () {
  this.timeout(60_000)

  it('is judged over UDP and TCP', async function () {
    const file = programOr(() => this.skip(), 'named', 'bind9')
    const port = await freePort()
    const folder = folderOf({
      zone: `$TTL 60
@ SOA ns.example.com. admin.example.com. 1 3600 600 86400 60
@ NS ns
@ MX 10 mail
ns AAAA 2001:db8::53
www AAAA 2001:db8::80
www A 192.0.2.80
alias CNAME www
_sip._udp SRV 10 20 5060 www
@ CAA 0 issue "ca.example.net"
enum NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
old DNAME example.net.
sub NS ns
sub DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
signed DNSKEY 256 3 8 AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LUsAD0QPWU+wzt89epO6tHzkMBVDkC7qphQO2hTY4hHn9npWFRw5BYubE=
pc HINFO "x86" "linux"
who RP admin.example.com. text.example.com.
host SSHFP 4 2 A87F1B687AC0E57D2A081A2F282672334D90ED316D2B818CA9580EA384D92401
_443._tcp TLSA 3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B56664C5D3D6
big TXT ${Array.from({ length: 6 }, (_, i) => `"${String(i).repeat(200)}"`).join(' ')}
`,
      reverse: `$TTL 60
@ SOA ns.example.com. admin.example.com. 1 3600 600 86400 60
@ NS ns.example.com.
${'1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0'} PTR host.example.com.
`,
    })
    const configuration = folderOf({
      'named.conf': `
options {
  directory "${folder}"; listen-on { none; }; listen-on-v6 port ${port} { ::1; };
  pid-file none; lock-file none; recursion no; dnssec-validation no; notify no;
};
controls {};
zone "example.com" { type primary; file "zone"; };
zone "8.b.d.0.1.0.0.2.ip6.arpa" { type primary; file "reverse"; };`,
    })
    await start(file, ['-g', '-n', '1', '-c', `${configuration}/named.conf`], [port])
    const cases: [Record<string, unknown>, boolean][] = [
      [{ request: 'www.example.com', receive: '192.0.2.80' }, true],
      [{ request: 'www.example.com', type: 'AAAA', receive: '2001:DB8:0::80' }, true],
      [{ request: 'www.example.com', type: 'AAAA', receive: '2001:db8::81' }, false],
      [{ request: 'alias.example.com', type: 'AAAA', receive: '2001:db8::80' }, true],
      [{ request: 'example.com', type: 'MX', receive: '^10 mail.example.com$' }, true],
      [{ request: 'example.com', type: 'SOA', receive: '^ns.example.com' }, true],
      [{ request: '_sip._udp.example.com', type: 'SRV', receive: '^10 20 5060 www.example.com$' }, true],
      [{ request: 'example.com', type: 'CAA', receive: '^0 issue ca.example.net$' }, true],
      [{ request: 'enum.example.com', type: 'NAPTR', receive: '^100 10 u E2U\\+sip !.*! ' }, true],
      [{ request: 'old.example.com', type: 'DNAME', receive: '^example.net$' }, true],
      [{ request: 'sub.example.com', type: 'DS', receive: '^60485 5 1 2BB183AF.*2118$' }, true],
      [{ request: 'signed.example.com', type: 'DNSKEY', receive: '^256 8 AwEAAaet.*ubE=$' }, true],
      [{ request: 'pc.example.com', type: 'HINFO', receive: '^x86 linux$' }, true],
      [{ request: 'who.example.com', type: 'RP', receive: '^admin[.@]example.com text.example.com$' }, true],
      [{ request: 'host.example.com', type: 'SSHFP', receive: '^4 2 A87F1B.*2401$' }, true],
      [{ request: '_443._tcp.example.com', type: 'TLSA', receive: '^3 1 1 0C72AC.*D3D6$' }, true],
      [{ request: 'pc.example.com', type: 'TLSA' }, false],
      [{ request: '2001:db8::1', receive: 'host.example.com' }, true],
      [{ request: 'none.example.com' }, false],
      [{ request: 'none.example.com', rcode: 'NXDOMAIN' }, true],
      [{ request: 'www.example.org' }, false],
      [{ request: 'www.example.org', rcode: 'REFUSED' }, true],
      [{ request: 'big.example.com', type: 'TXT', receive: '5{200}$' }, true],
    ]
    for (const [options, ok] of cases)
      for (const transport of ['udp', 'tcp']) {
        const result = await probe(dns, port, { ...options, transport }, SLOW)
        assert.equal(result.ok, ok, `${transport} ${JSON.stringify(options)}: ${result.detail}`)
      }
    const big = { request: 'big.example.com', type: 'TXT', receive: '5{200}$' }
    await diesAnywhere(dns, port, { ...big, transport: 'tcp' })
    const small = { request: 'www.example.com', type: 'AAAA' }
    await diesAnywhere(dns, port, small, { transport: 'udp' })
    const query =
      '00 07 01 00 00 01 00 00 00 00 00 00 03 77 77 77 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 1c 00 01'
    const bytes = { hex: query, receive: '^\\x00\\x07.*\\x20\\x01\\x0d\\xb8\\x00{10}\\x00\\x80$' }
    await diesAnywhere(udp, port, bytes, { transport: 'udp' })
    const other = await probe(udp, port, { ...bytes, hex: query.replace(/00 1c/, '00 01') }, SLOW)
    assert.equal(other.reason, 'unexpected', other.detail)
  })
})
