/** Random ldirectord.cf files: what people write, what they get wrong, and corners of the grammar. */

/** Numbers from 0 to 1. */
export type Random = () => number

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The host names that resolve. */
export const NAMES: Readonly<Record<string, string>> = {
  localhost: '127.0.0.1',
  web1: '198.51.100.201',
  web2: '198.51.100.202',
  web3: '198.51.100.203',
  'www.example.com': '192.0.2.200',
  'web_a.example': '198.51.100.211',
  'six1.example': '2001:db8::201',
  'www6.example': '2001:db8::200',
}

/** Values that ldirectord takes, and such as few expect or as it refuses. */
type Values = readonly [good: readonly string[], odd: readonly string[]]

const YES_NO: Values = [
  ['yes', 'no'],
  ['YES', 'No', 'yes ', 'no # why', 'true', '', '"yes"', 'yes#', 'nein', 'yes\t'],
]
const NUMBERS: Values = [
  ['1', '2', '3', '5', '10', '30', '60', '300'],
  [
    '0',
    '',
    '-5',
    '1.5',
    '10s',
    'five5',
    'abc',
    '007',
    '5 # seconds',
    ' 7 ',
    '"4"',
    '1 2',
    '2147483648',
    '５',
  ],
]
const QUOTED: Values = [
  ['"x"', '"a b"', '"index.html"', '"/index.html"', '"OK"', '"Test Page"', '"a\\.b"', '"it works"', '"a, b"'],
  [
    'x',
    '""',
    '"',
    '"x',
    'x"',
    '"a "b" c"',
    '"a" junk',
    '"a#b"',
    "'x'",
    '"a\tb"',
    '“x”',
    '" x "',
    '"é"',
    '"a" # c',
    '"x" "y"',
  ],
]
const TEXT: Values = [
  ['/usr/local/bin/tool', '/bin/true', 'tool'],
  [
    '"/usr/local/bin/tool"',
    '/bin/tool -a b',
    '"/bin/tool -a"',
    '',
    '""',
    '/bin/tool # c',
    '/bin/a"b',
    '"/bin/a',
    '/bin/x ',
  ],
]
const MAIL: Values = [
  [
    'ops@example.com',
    'root',
    '"ops@example.com"',
    'a@example.com, b@example.com',
    'a@example.com b@example.com',
  ],
  [
    '',
    '""',
    'ops@example.com # c',
    'ops@',
    '"a@example.com',
    'Ops <ops@example.com>',
    'a@example.com,,b@example.com',
  ],
]
const MAIL_STATUS: Values = [
  ['all', 'none', 'running', 'starting,running', 'starting , stopping', 'all,running', 'reloading'],
  [
    '',
    'All',
    'none,all',
    'all,none',
    'running ',
    ' running',
    'foo',
    'running,',
    ',running',
    'running;starting',
    'running # c',
  ],
]
const SMTP: Values = [
  ['mail.example.com', '192.0.2.25', 'mail'],
  ['"mail"', '[::1]', '', 'mail:25', 'mail 25', 'mail_a', 'mail # c', '-x', '.', 'a+b', 'mail.example.com.'],
]
const FALLBACK: Values = [
  [
    '127.0.0.1:80',
    '127.0.0.1',
    '127.0.0.1:80 gate',
    '127.0.0.1 masq',
    '192.0.2.99:8080 masq',
    'localhost:80',
    'localhost',
    '127.0.0.1:http masq',
    '10.0.1:80',
    '192.0.2.99:80 ipip',
  ],
  [
    '',
    'nosuch:80',
    '127.0.0.1:nosuch',
    '127.0.0.1:80 route',
    '127.0.0.1:80 gate 5',
    '"127.0.0.1:80"',
    '127.0.0.1:80 # c',
    '127.0.0.1:70000',
    '127.0.0.1:0',
    ':80',
    '127.0.0.1:',
    '[::1]:80',
    'localhost:80 GATE',
    '127.0.0.1::80',
    '127.0.0.300',
    'web_a.example:80',
    '127.0.0.1:80  masq ',
  ],
]
const FALLBACK6: Values = [
  [
    '[::1]:80',
    '[::1]',
    '[2001:db8::99]:8080 masq',
    '[2001:DB8:0::99]:http',
    'www6.example:80',
    '[::1]:80 gate',
  ],
  [
    '::1',
    '[::1',
    '127.0.0.1:80',
    '',
    '[::1]:80 tunnel',
    '[fe80::1%lo]:80',
    '[::ffff:1.2.3.4]:80',
    '2001:db8::1:80',
    '[::1] masq extra',
  ],
]

const BOTH: Readonly<Record<string, Values>> = {
  checktimeout: NUMBERS,
  negotiatetimeout: NUMBERS,
  checkinterval: NUMBERS,
  checkcount: NUMBERS,
  failurecount: NUMBERS,
  quiescent: YES_NO,
  cleanstop: YES_NO,
  fallbackcommand: TEXT,
  emailalert: MAIL,
  emailalertfreq: NUMBERS,
  emailalertstatus: MAIL_STATUS,
  smtp: SMTP,
}

const GLOBAL: Readonly<Record<string, Values>> = {
  ...BOTH,
  fallback: FALLBACK,
  fallback6: FALLBACK6,
  autoreload: YES_NO,
  readdquiescent: YES_NO,
  fork: YES_NO,
  supervised: YES_NO,
  callback: [
    ['"/usr/local/bin/sync"', '""', '"/bin/a b"'],
    ['/bin/sync', '"x', '"/bin/a" b', ''],
  ],
  logfile: [
    ['"/var/log/ldirectord.log"', '"local0"', '"local0" # c'],
    ['local0', '""', '/var/log/x'],
  ],
  execute: TEXT,
  emailalertfrom: [
    ['ops@example.com', 'Ops <ops@example.com>', '"Ops" <ops@example.com>'],
    ['', '"x@y"', 'x@y # c', '<>'],
  ],
  maintenancedir: [
    ['/tmp', '/nonexistent'],
    ['"/tmp"', '', '/tmp # c', '/tmp ', 'tmp'],
  ],
}

const SERVICES =
  'dns ftp http https http_proxy imap imaps ldap ldaps mysql nntp none oracle pop pops radius pgsql simpletcp sip smtp submission'

const VIRTUAL: Readonly<Record<string, Values>> = {
  ...BOTH,
  checktype: [
    [
      'negotiate',
      'connect',
      'ping',
      'on',
      'off',
      'external',
      'external-perl',
      '3',
      '0',
      '"connect"',
      'negotiate',
      '10',
    ],
    [
      'tcp4',
      'none',
      'http',
      'Connect',
      'external_perl',
      '',
      '3.5',
      '-1',
      'connect now',
      'checktimeout',
      '"',
      '" connect"',
      'connect,ping',
      '(connect)',
      '1e3',
      '9999999',
      '=3',
      '3x',
    ],
  ],
  service: [
    SERVICES.split(' '),
    [
      'HTTP',
      'http-proxy',
      '"http"',
      'http proxy',
      'tcp',
      '',
      'telnet',
      '(http)',
      ' http,https',
      '"https',
      'smtps',
      '-http',
      'httpx',
      'http_',
    ],
  ],
  checkcommand: TEXT,
  checkport: [
    ['80', '8080', '443', '1', '65535'],
    ['0', '65536', 'http', '', '80a', 'a80', '"80"', '-80', '080'],
  ],
  request: [
    [
      ...QUOTED[0],
      '"/"',
      '"http://www.example.com/x"',
      '"https://h/"',
      '"SELECT 1"',
      '"www.example.com"',
      '"192.0.2.1"',
      '"//x"',
      '"\\n"',
      '"/a?b=c&d"',
    ],
    QUOTED[1],
  ],
  receive: [
    [
      ...QUOTED[0],
      '"^ok$"',
      '"192\\.0\\.2\\.1"',
      '"[[:alpha:]]+"',
      '"\\bOK\\b"',
      '"(?i)ok"',
      '"a|b"',
      '"\\d+"',
      '"a\\/b"',
    ],
    [...QUOTED[1], '"foo("', '"[a"', '"*x"', '"(?<!a"', '"\\QOK.\\E"', '"a{2"', '"a++"'],
  ],
  httpmethod: [
    ['GET', 'HEAD', 'get', 'Head'],
    ['POST', '', '"GET"', 'GET HEAD', 'get # c', '-head'],
  ],
  virtualhost: [
    ['www.example.com', '"www.example.com"', 'www'],
    ['', '""', '"www', 'www"', 'www example', ' "x" y', 'a"b"c', 'www # c', 'www  ', '"www " '],
  ],
  login: QUOTED,
  passwd: QUOTED,
  database: QUOTED,
  secret: QUOTED,
  load: [
    ['"foo"', '"x y"'],
    ['foo', '"-"', '""', '"x'],
  ],
  scheduler: [
    ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'mh', 'fo', 'ovf'],
    ['WRR', 'Wrr', 'wlc, rr', '', '"wlc"', 'rr # c', 'wlc2', 'RR rr', '7', 'wlc ', 'foo', 'w-rr'],
  ],
  schedflags: [
    ['sh-port', 'sh-fallback', 'sh-port,sh-fallback', 'mh-port', 'mh-fallback', 'flag-1', 'flag-1,flag-3'],
    ['', 'foo', 'sh-port, sh-fallback', '"sh-port"', 'flag-4', 'sh-port mh', 'SH-PORT', 'flag-1,'],
  ],
  persistent: [
    ['60', '300', '600', '1'],
    ['0', '', 'yes', '10m', '-1', 'a5', '1.5', '99999999999'],
  ],
  protocol: [
    ['tcp', 'udp', 'tcp', '"udp"'],
    ['fwm', 'sctp', '', 'TCP', 'tcp udp', '(udp)', 'tcp # c', '-tcp', 'tcp/udp'],
  ],
  ops: YES_NO,
  monitorfile: [
    ['/tmp/monitor', '"/tmp/monitor"'],
    ['', '"/nonexistent/x"', '/tmp/a # c', '"/tmp/a', '""'],
  ],
  servicename: [
    ['Shop', 'Shop front', '"Shop"'],
    ['', 'Shop # c', 'é', 'a:b', 'x\ty'],
  ],
  comment: [
    ['call them', '"call"'],
    ['', 'a # b', '  x  '],
  ],
  netmask: [
    ['255.255.255.0', '255.255.0.0', '255.255.255.255'],
    [
      '64',
      '999.1.1.1',
      '255.0.255.0',
      '/24',
      '',
      '255.255.255',
      '255.255.255.0 ',
      '"255.0.0.0"',
      '0.0.0.0',
      '255.255.255.0x',
      '010.0.0.0',
    ],
  ],
}
const NETMASK6: Values = [
  ['64', '128', '1', '48'],
  ['0', '129', '255.255.0.0', '', '/64', '64 ', '064', '"64"'],
]

const VIRTUALS: Values = [
  [
    '192.0.2.N:80',
    '192.0.2.N:443',
    '192.0.2.N:PORT',
    '192.0.2.N:PORT',
    '192.0.2.N:NAME',
    'www.example.com:PORT',
    'N',
    '192.0.2.N:53',
    '192.0.2.N:domain',
  ],
  [
    '192.0.2.5',
    'Nabc',
    '"192.0.2.N:80"',
    '192.0.2.N:nosuch',
    '192.0.2.N:99999',
    '192.0.2.N:0',
    '192.0.2.300:80',
    '[2001:db8::N]:80',
    'nosuch:80',
    '010.0.2.N:80',
    '10.N:80',
    '0x0a00000N:80',
    '192.0.2.N:80 # c',
    '192.0.2.N:80,81',
    '192.0.2.N :80',
    '192.0.2.N: 80',
    '',
    '0',
    '4294967296',
    '192.0.2.N::80',
    '192.0.2.N:80/24',
    'localhost:80',
    'web_a.example:80',
    'N # mark',
    'N:80',
    '192.0.2.N:http/tcp',
    '192.0.2.N:080',
    '192.0.2.0N:80',
  ],
]
const VIRTUALS6: Values = [
  [
    '[2001:db8::N]:80',
    '[2001:db8::N]:PORT',
    '[2001:DB8:0:0::N]:PORT',
    '[2001:db8::N]:NAME',
    'N',
    'www6.example:PORT',
    '[2001:db8::N]:53',
    '[::N]:80',
    '[2001:0db8:0000:0000:0000:0000:0000:000N]:80',
  ],
  [
    '[2001:db8::N]',
    '2001:db8::N:80',
    '[::ffff:0102:030N]:80',
    '[::ffff:1.2.3.4]:80',
    '[fe80::N%lo]:80',
    '192.0.2.N:80',
    'www.example.com:80',
    '[2001:db8::N]:nosuch',
    '[2001:db8::N]: 80',
    '[2001:db8:N]:80',
    '[2001:db8::gN]:80',
    'N x',
    '[2001:db8::N]:80x',
    '[2001:db8::N]:0',
  ],
]

const REALS: Values = [
  [
    '198.51.100.N:PORT',
    '198.51.100.N:PORT',
    '198.51.100.N:PORT',
    '198.51.100.N',
    '198.51.100.N:8080',
    '198.51.100.N:http',
    'web1:PORT',
    'web2',
    '198.51.100.1->198.51.100.3:PORT',
    'web1->web3:PORT',
    '198.51.100.N->198.51.100.N',
    '198.51.100.9->198.51.100.11:PORT',
  ],
  [
    '198.51.100.N::80',
    '198.51.100.N:80->198.51.100.9:80',
    '198.51.100.7->198.51.100.2:80',
    '9.255.255.254->10.0.0.1:80',
    '@198.51.100.N:80',
    '"198.51.100.N:80"',
    '198.51.100.300:80',
    'nosuch:80',
    '198.51.100.N:nosuch',
    '198.51.100.N:70000',
    '10.0.N:80',
    '010.0.0.N:80',
    'web_a.example:80',
    '[2001:db8::N]:80',
    '198.51.100.N:',
    '198.51.100.N :80',
    '198.51.100.N,80',
    '',
    'http://198.51.100.N:80',
    '198.51.100.N:0',
    '198.51.100.N:080',
    '198.51.100.N-198.51.100.9:80',
    '198.51.100.N -> 198.51.100.9:80',
    '198.51.100.N/32:80',
    'localhost:80',
    '99.0.0.1->100.0.0.2:80',
    '198.51.100.N:PORT:81',
    'web1.:80',
    '198.51.100.N:http-alt',
    'web1->198.51.100.202:80',
    '198.51.100.201->web2',
  ],
]
const REALS6: Values = [
  [
    '[2001:db8::N]:PORT',
    '[2001:db8::N]:PORT',
    '[2001:DB8::0:N]:PORT',
    '[2001:db8::N]',
    'six1.example:PORT',
    '[2001:db8::N]:8080',
    '[2001:db8::N]:http',
  ],
  [
    '2001:db8::N:80',
    '198.51.100.N:80',
    '[2001:db8::N]->[2001:db8::9]:80',
    '[2001:db8::G]:80',
    '[2001:db8::N',
    '[fe80::N%lo]:80',
    '[::ffff:1.2.3.4]:80',
    'web1:80',
    '[2001:db8::N]80',
    '[2001:db8::N]::80',
    '[]:80',
    '2001:db8::N',
  ],
]
const FORWARDING: Values = [
  ['gate', 'masq', 'ipip', 'masq'],
  ['GATE', 'route', '', 'gates', 'masq,', '"gate"', 'gate-5', '(masq)', 'masq;', 'tunnel', 'gate masq'],
]
const WEIGHT: Values = [
  ['', '', ' 1', ' 5', ' 0', ' 10', '  2', ' 007', '\t3'],
  [' -1', ' five', ' 5x', '5', ' 1.5', ' 99999999999', ' 5 6', ' w=5', ' "5"', ' 1,5', ' +3'],
]
const PAIR: Values = [
  [
    '',
    '',
    '',
    ' "a.html", "ok"',
    ' "/a.html","ok"',
    ' "" ""',
    ' "a.html" "ok"',
    ' "", "x"',
    ' "http://198.51.100.77:81/a", "ok"',
    ' "http://web1/a", "ok"',
    ' "SELECT 1", ""',
    ' "a b", "c d"',
  ],
  [
    ' "a.html" , "ok"',
    ' "a.html""ok"',
    ' "a.html"',
    ' "a","b","c"',
    ' "a 5", "b"',
    ' a, b',
    ' "a"; "b"',
    ' "x", "foo("',
    ' "x, y"',
    ' "https://h/a", "ok"',
    ' "a", "b',
    ' "a" "b" "c"',
    ' "ftp://h/a", "x"',
    ' "a#b", "c"',
    '"a","b"',
    ' "/http://h/a", "ok"',
    ' "http://", "a"',
    ' "//a//b", "c"',
    ' "http://h:99999/x", "y"',
  ],
]
const LIMITS: Values = [
  ['', '', '', '', ' l:10 u:20', ' u:20', ' l:5', ' l:0 u:0', '  l:1  u:2'],
  [
    ' u:20 l:10',
    ' "l:10" "u:20"',
    ' l:10',
    ' l:30 u:20',
    ' l:x',
    ' L:1',
    ' l:1 l:2',
    ' u:1 u:2',
    'l:10',
    ' l:10u:20',
    ' u:99999999999',
    ' l: 10',
    ' u:5 foo',
    ' "u:20"',
    ' "l:10", "u:20"',
  ],
]

const PORTS = [
  '80',
  '80',
  '443',
  '21',
  '25',
  '110',
  '143',
  '993',
  '995',
  '389',
  '636',
  '119',
  '3306',
  '5432',
  '1521',
  '1812',
  '3128',
  '5060',
  '587',
  '53',
  '8080',
  '12201',
  '1',
  '65535',
]
const PORT_NAMES = [
  'http',
  'https',
  'smtp',
  'ftp',
  'ldap',
  'imap2',
  'mysql',
  'sip',
  'domain',
  'ssh',
  'ntp',
  'pop3',
  'nntp',
  'postgresql',
  'radius',
  'imaps',
  'submission',
  'snmp',
  'tftp',
  'syslog',
]

/** How much of a file is odd: nothing, a little, a lot. */
const ODDITY = [0, 0, 0.02, 0.02, 0.1, 0.4] as const

/** One file. */
export function randomFile(random: Random): string {
  return new Writer(random).file()
}

class Writer {
  readonly #random: Random
  readonly #oddity: number
  #next = 1
  #port = '80'

  constructor(random: Random) {
    this.#random = random
    this.#oddity = this.#pick(ODDITY)
  }

  file(): string {
    const virtuals = Array.from({ length: 1 + this.#below(3) }, () => this.#virtual())
    const lines = [...this.#globals(), ...virtuals.flat(), ...(this.#chance(0.15) ? this.#globals() : [])]
    const end = this.#odd(0.5) ? '\r\n' : '\n'
    const text = lines.join(end) + (this.#chance(0.1) ? '' : end)
    return this.#odd(0.2) ? `\ufeff${text}` : text
  }

  #globals(): string[] {
    const lines = Array.from({ length: this.#below(6) }, () => {
      const key = this.#pick(Object.keys(this.#odd(0.2) ? VIRTUAL : GLOBAL))
      return this.#line(this.#odd(0.3) ? this.#pick([' ', '\t']) : '', key, GLOBAL[key] ?? YES_NO)
    })
    return this.#odd(0.3)
      ? [...lines, this.#pick(['supervised', ';x', 'timeout=5', '[x]', 'connecttimeout=3'])]
      : lines
  }

  #virtual(): string[] {
    const six = this.#chance(0.3)
    this.#port = this.#pick(PORTS)
    const head = this.#spaced(six ? 'virtual6' : 'virtual', this.#value(six ? VIRTUALS6 : VIRTUALS))
    const directives = Array.from({ length: this.#below(8) }, () => this.#directive(six))
    const reals = Array.from({ length: this.#below(4) }, () => this.#real(six))
    const body = this.#shuffle([...directives, ...reals])
    const line = this.#odd(0.1) ? `${this.#pick([' ', '\t'])}${head}` : head
    return [
      ...(this.#chance(0.3) ? ['# a service'] : []),
      line,
      ...body.flatMap(one => this.#around(one)),
      ...(this.#chance(0.6) ? [''] : []),
    ]
  }

  #around(line: string): string[] {
    if (this.#chance(0.05)) return [this.#pick(['\t# c', '# c', '   # c', '#']), line]
    return this.#odd(0.1) ? [this.#pick(['', '\t', '   ', '     ', '\t\t', ' ', ';c']), line] : [line]
  }

  #directive(six: boolean): string {
    const key = this.#odd(0.1)
      ? this.#pick(Object.keys(GLOBAL))
      : this.#pick([...Object.keys(VIRTUAL), 'fallback'])
    const six1 = this.#odd(0.2) ? !six : six
    if (key === 'fallback')
      return this.#line(this.#indent(), six1 ? 'fallback6' : key, six1 ? FALLBACK6 : FALLBACK)
    if (key === 'netmask')
      return this.#line(this.#indent(), key, six1 ? NETMASK6 : (VIRTUAL.netmask ?? NETMASK6))
    return this.#line(this.#indent(), key, VIRTUAL[key] ?? GLOBAL[key] ?? YES_NO)
  }

  #real(six: boolean): string {
    const word = (this.#odd(0.1) ? !six : six) ? 'real6' : 'real'
    const where = this.#value(six ? REALS6 : REALS)
    const parts = [FORWARDING, WEIGHT, PAIR, LIMITS].map(values => this.#value(values)).join('')
    return (
      this.#indent() +
      this.#spaced(word, `${where}${this.#odd(0.1) ? '' : this.#pick([' ', ' ', ' ', '\t', '  '])}${parts}`) +
      this.#tail()
    )
  }

  #line(indent: string, key: string, values: Values): string {
    const word = this.#odd(0.05) ? this.#misspelt(key) : key
    return indent + this.#spaced(word, this.#value(values))
  }

  #misspelt(word: string): string {
    const at = this.#below(word.length)
    return this.#pick([
      word.slice(0, at) + word.slice(at + 1),
      word.toUpperCase(),
      (word[0] ?? '').toUpperCase() + word.slice(1),
      `${word}s`,
      `${word}=`,
    ])
  }

  #spaced(key: string, value: string): string {
    return this.#chance(0.3)
      ? `${key}${this.#pick([' = ', ' =', '= ', '  =  ', '\t=\t'])}${value}`
      : `${key}=${value}`
  }

  #indent(): string {
    if (this.#odd(0.1)) return this.#pick(['', ' ', '  ', '   ', '\u00a0\u00a0\u00a0\u00a0', '\u3000'])
    return this.#pick(['\t', '\t', '\t', '    ', '        ', '\t\t', ' \t', '\t ', '     '])
  }

  #tail(): string {
    return this.#chance(0.1) ? this.#pick([' ', ' # c', '#c', '\t']) : ''
  }

  #value([good, odd]: Values): string {
    return this.#filled(this.#odd(1) ? this.#pick(odd) : this.#pick(good))
  }

  #filled(text: string): string {
    return text
      .replaceAll('PORT', () => this.#port)
      .replaceAll('NAME', () => this.#pick(PORT_NAMES))
      .replaceAll('N', () => String(this.#chance(0.9) ? this.#next++ % 10 : 1 + this.#below(4)))
  }

  #shuffle<T>(items: readonly T[]): T[] {
    return items
      .map(item => ({ item, by: this.#random() }))
      .sort((a, b) => a.by - b.by)
      .map(({ item }) => item)
  }

  #odd(share: number): boolean {
    return this.#random() < share * this.#oddity
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T
  }
}

/** The file with one to three accidents of an editor. */
export function mutated(text: string, random: Random): string {
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T
  let lines = text.split('\n')
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * lines.length)
    const line = lines[at] ?? ''
    const column = Math.floor(random() * (line.length + 1))
    const changed = pick<() => readonly string[]>([
      () => [],
      () => [line, line],
      () => [lines[Math.floor(random() * lines.length)] ?? '', line],
      () => [line.slice(0, column) + line.slice(column + 1)],
      () => [
        line.slice(0, column) +
          pick([...'"#=,: \t0-[]\\/.>abZ9_(;\r\'<&', '  ', '\u00a0', 'é', '->']) +
          line.slice(column),
      ],
      () => [line.slice(0, column), line.slice(column)],
      () => [line.trimStart()],
      () => [`\t${line}`],
      () => [line.replaceAll('"', '')],
      () => [line.replace(/=.*/, '=')],
      () => [line.replace(/\s*=\s*/, pick([' = ', '', ' ', ':', '==']))],
      () => [`${line}${pick([' ', ' # c', '\r', ' x', '"', ',', ' 5'])}`],
      () => [line.replace(/\d+/, number => pick(['0', '-1', `${number}0`, `0${number}`, '99999', '']))],
      () => [line.replace(/[a-z]+/, word => pick([word.toUpperCase(), word.slice(1), `${word}x`]))],
      () => [`#${line}`],
    ])()
    lines = [...lines.slice(0, at), ...changed, ...lines.slice(at + 1)]
  }
  return lines.join('\n')
}
