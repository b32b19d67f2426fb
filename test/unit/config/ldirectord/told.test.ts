/** What is said about an ldirectord.cf: where, in which words, and what ldirectord would have done. */
import assert from 'node:assert/strict'
import { LDIRECTORD_CODES, SPELLING_CODES } from '../../../../src/config/ldirectord/ldirectord-codes.js'
import { type Loaded, loadConfig } from '../../../../src/config/load.js'
import { afterImport, loadCf, REAL, site } from '../../../support/config/ldirectord-site.js'

/** Left out: ldirectord's own defaults have the first, and this machine decides on the others. */
const LEFT_OUT = new Set(['TIMEOUT_OVER_INTERVAL', 'CHECK_UNAVAILABLE', 'COMMAND_UNAVAILABLE'])

/** `CODE line:column+length` of each problem of a severity. */
function told({ problems }: Loaded, severity: 'error' | 'warning' | 'note'): string[] {
  return problems
    .filter(problem => problem.severity === severity && !LEFT_OUT.has(problem.code))
    .map(({ code, at }) => `${code} ${at.line}:${at.column}+${at.length}`)
}

/** Accepted, with these warnings. */
const WARNED: readonly [phrase: string, text: string, ...warnings: string[]][] = [
  ['a byte order mark', `\ufeff${site(REAL)}`, 'BYTE_ORDER_MARK 1:1+1'],
  ['CR LF', site(REAL, { globals: 'quiescent=yes' }).replaceAll('\n', '\r\n'), 'CARRIAGE_RETURNS 1:1+1'],
  [
    'a comment behind a global yes',
    site(REAL, { globals: 'quiescent=yes # keep' }),
    'TRAILING_COMMENT 1:14+1',
  ],
  ['a comment behind a yes of a virtual', site(`${REAL}\nquiescent=yes # keep`), 'TRAILING_COMMENT 3:15+1'],
  [
    'a comment behind a global fallback',
    site(REAL, { globals: 'fallbackcommand=/x # y' }),
    'TRAILING_COMMENT 1:19+1',
  ],
  ['blanks behind a yes', site(`${REAL}`, { globals: 'quiescent=yes  ' }), 'TRAILING_BLANKS 1:14+1'],
  ['a yes in capitals', site(REAL, { globals: 'quiescent=YES' }), 'LETTER_CASE 1:11+3'],
  ['an indented global directive', site(REAL, { globals: '  checktimeout=5' }), 'INDENT 1:3+12'],
  ['an indented virtual', site(REAL, { head: '  virtual=192.0.2.1:80' }), 'INDENT 1:3+7'],
  ['too little indent', `virtual=192.0.2.1:80\n  ${REAL}\n`, 'INDENT 2:3+4'],
  ['no indent', `virtual=192.0.2.1:80\n${REAL}\nscheduler=rr\n`, 'INDENT 2:1+4', 'INDENT 3:1+9'],
  [
    'no indent where both are possible',
    `virtual=192.0.2.1:80\n${REAL}\nquiescent=yes\n`,
    'INDENT 2:1+4',
    'INDENT 3:1+9',
  ],
  [
    'an empty line in a section',
    `virtual=192.0.2.1:80\n\t${REAL}\n\n\tscheduler=rr\n\tquiescent=no\n`,
    'SECTION_INTERRUPTED 3:1+1',
  ],
  [
    'a global directive in a section',
    `virtual=192.0.2.1:80\n\t${REAL}\nquiescent=no\n\tscheduler=rr\n`,
    'SECTION_INTERRUPTED 3:1+1',
  ],
  [
    'a line of blanks alone',
    `virtual=192.0.2.1:80\n\t${REAL}\n     \n\tscheduler=rr\n`,
    'INVISIBLE_BLANKS 3:1+1',
  ],
  ['blanks that do not break', `virtual=192.0.2.1:80\n\u00a0\u00a0\u00a0\u00a0${REAL}\n`, 'ODD_BLANK 2:1+1'],
  ['curly quotes', site(`${REAL}\nrequest=\u201cindex.html\u201d`), 'CURLY_QUOTES 3:10+1'],
  [
    'a # in a password',
    site(`${REAL}\nservice=pop\nlogin="u"\npasswd=se#cret`),
    'MISSING_QUOTES 5:9+2',
    'HASH_IN_VALUE 5:11+1',
  ],
  ['a # in quotes', site(`${REAL}\nreceive="a#b"`), 'HASH_IN_QUOTES 3:12+1'],
  ['missing quotes', site(`${REAL}\nrequest=index.html`), 'MISSING_QUOTES 3:10+10'],
  [
    'an unquoted logfile',
    site(REAL, { globals: 'logfile=/var/log/x' }),
    'COMMAND_ONLY 1:1+7',
    'MISSING_QUOTES 1:9+10',
  ],
  ['text behind the closing quote', site(`${REAL}\nrequest="a" junk`), 'IGNORED_TEXT 3:14+4'],
  [
    'IPv6 behind virtual',
    site('real=[2001:db8::2]:80 gate', { head: 'virtual = [2001:db8::1]:80' }),
    'FAMILY_WORD 1:11+16',
  ],
  [
    'real in a virtual6',
    site('real=[2001:db8::2]:80 gate', { head: 'virtual6=[2001:db8::1]:80' }),
    'FAMILY_WORD 2:2+4',
  ],
  [
    'fallback in a virtual6',
    site('fallback=[::1]:80', { head: 'virtual6=[2001:db8::1]:80' }),
    'NO_REALS 1:10+16',
    'FAMILY_WORD 2:2+8',
  ],
  ['IPv6 behind a global fallback', site(REAL, { globals: 'fallback=[::1]:80' }), 'FAMILY_WORD 1:1+8'],
  ['text behind the virtual', site(REAL, { head: 'virtual=192.0.2.1:80 tcp' }), 'IGNORED_TEXT 1:22+3'],
  ['digits among letters', site(REAL, { globals: 'checktimeout=10s' }), 'ODD_NUMBER 1:14+3'],
  ['three numbers for an address', site('real=10.0.1:80 masq'), 'ODD_ADDRESS 2:7+9'],
  ['octal numbers', site(REAL, { head: 'virtual=010.001.001.001:80' }), 'ODD_ADDRESS 1:9+18'],
  ['an underscore in a name', site('real=my_host:80 masq'), 'ODD_ADDRESS 2:7+10'],
  ['two colons', site('real=198.51.100.2::80 gate'), 'DOUBLE_COLON 2:7+16'],
  ['a range of uneven numbers', site('real=59.154.201.254->59.154.202.1:80 masq'), 'RANGE 2:7+31'],
  [
    'a range of IPv6 addresses',
    site('real6=[2001:db8::9]->[2001:db8::11]:80 masq', { head: 'virtual6=[2001:db8::1]:80' }),
    'RANGE 2:8+32',
  ],
  ['a range of names', site('real=sql01->sql03:80 masq'), 'RANGE 2:7+15'],
  [
    'thresholds in quotes',
    site(`${REAL} 5 "l:1" "u:2"`),
    'THRESHOLD_QUOTES 2:30+5',
    'THRESHOLD_QUOTES 2:36+5',
  ],
  ['thresholds the other way round', site(`${REAL} 5 u:2 l:1`), 'THRESHOLD_ORDER 2:34+3'],
  ['a blank before the comma', site(`${REAL} 5 "a" , "b"`), 'PAIR 2:30+9'],
  ['a number in the pair without a weight', site(`${REAL} "a", "Test 1"`), 'PAIR 2:28+13'],
  ['the same real server twice', site(`${REAL} 1\n${REAL} 2`), 'REAL_TWICE 3:7+15'],
  ['another port with direct routing', site('real=198.51.100.1:8080 gate'), 'PORT_MAPPED 2:7+17'],
  [
    'another port of a fallback with direct routing',
    site(`${REAL}\nfallback=127.0.0.1:8080`),
    'PORT_MAPPED 3:11+14',
  ],
  ['an empty fallback', site(`${REAL}\nfallback=`), 'EMPTY_FALLBACK 3:11+1'],
  ['a repeated directive', site(`${REAL}\nscheduler=rr\nscheduler=wlc`), 'REPEATED 4:2+9'],
  ['checkcount', site(REAL, { globals: 'checkcount=3' }), 'DEPRECATED 1:1+10'],
  ['a bare supervised', site(REAL, { globals: 'supervised' }), 'NO_VALUE 1:1+10'],
  ['checkinterval without fork', site(`${REAL}\ncheckinterval=7`), 'INTERVAL_IGNORED 3:16+1'],
  ['persistent = 0', site(`${REAL}\npersistent=0`), 'NO_PERSISTENCE 3:13+1'],
  ['ops of tcp', site(`${REAL}\nops=yes`), 'UNUSED 3:6+3'],
  ['a flag of another scheduler', site(`${REAL}\nschedflags=sh-port`), 'SCHEDULER_FLAG 3:13+7'],
  ['words behind the scheduler', site(`${REAL}\nscheduler=wlc, rr`), 'IGNORED_TEXT 3:15+4'],
  ['checktype off', site(`${REAL}\nchecktype=off`), 'OFF 3:12+3'],
  ['no service for the port', site(REAL, { head: 'virtual=192.0.2.1:9999' }), 'IMPLIED_NONE 1:9+14'],
  [
    'a command with arguments',
    site(`${REAL}\nchecktype=external\ncheckcommand="/x -a"`),
    'COMMAND_ARGUMENTS 4:15+7',
  ],
  [
    'a dns check without a question',
    site('real=198.51.100.1:53 gate', { head: 'virtual=192.0.2.1:53' }),
    'DNS_QUESTION 1:9+12',
  ],
  ['a proxy without a URL', site(`${REAL}\nservice=http_proxy`), 'PROXY_REQUEST 3:10+10'],
  [
    'a proxy and a URL that it cannot fetch',
    site(`${REAL}\nservice=http_proxy\nrequest="https://www.example/"`),
    'PROXY_REQUEST 4:10+22',
  ],
  ['a combined check', site(`${REAL}\nchecktype=3`)],
  ['a database without a question', site(`${REAL}\nservice=mysql\nlogin="a"`), 'INCOMPLETE 3:10+5'],
  ['a database without a login', site(`${REAL}\nservice=pgsql\nrequest="x"`), 'INCOMPLETE 3:10+5'],
  ['RADIUS without a secret', site(`${REAL}\nservice=radius\nlogin="a"`), 'INCOMPLETE 3:10+6'],
  ['a Perl check without a script', site(`${REAL}\nchecktype=external-perl`), 'INCOMPLETE 3:12+13'],
  ['a recipient that is none', site(`${REAL}\nemailalert=a@b.example,@c`), 'BAD_MAIL_ADDRESS 3:25+2'],
  ['a sender that is none', site(REAL, { globals: 'emailalertfrom=a b' }), 'BAD_MAIL_ADDRESS 1:16+3'],
  ['execute', site(REAL, { globals: 'execute=other.cf' }), 'COMMAND_ONLY 1:1+7'],
  ['http-proxy, which ldirectord reads as http', site(`${REAL}\nservice=http-proxy`), 'IGNORED_TEXT 3:10+10'],
  [
    'a comment behind a netmask',
    site(`${REAL}\npersistent=60\nnetmask=255.255.255.0 # c`),
    'TRAILING_COMMENT 4:23+1',
  ],
  [
    'blanks behind a netmask',
    `${site(`${REAL}\npersistent=60`)}\tnetmask=255.255.255.0 \n`,
    'TRAILING_BLANKS 4:23+1',
  ],
  ['a port of a mail server', site(`${REAL}\nsmtp=mail:25`), 'MAIL_TO_NOBODY 3:7+7', 'IGNORED_TEXT 3:11+3'],
  [
    'words behind a mail server',
    site(`${REAL}\nsmtp=mail, other`),
    'MAIL_TO_NOBODY 3:7+11',
    'IGNORED_TEXT 3:11+7',
  ],
  ['an IPv6 mail server', site(`${REAL}\nsmtp=[::1]`), 'ODD_ADDRESS 3:7+5', 'MAIL_TO_NOBODY 3:7+5'],
  [
    'the name of a port for another protocol',
    site('real=198.51.100.1:ntp masq', { head: 'virtual=192.0.2.1:ntp' }),
    'PORT_NAME 1:9+13',
    'IMPLIED_NONE 1:9+13',
  ],
  [
    'a global fallback with the name of a tcp port',
    site(REAL, { globals: 'fallback=127.0.0.1:http' }),
    'PORT_NAME 1:10+14',
  ],
  ['a port with a zero before it', site(REAL, { head: 'virtual=192.0.2.1:080' }), 'ODD_NUMBER 1:9+13'],
  ['a virtual on the last line', 'virtual=192.0.2.1:80\n', 'LAST_LINE 1:1+7', 'NO_REALS 1:9+12'],
  ['a lower threshold alone', site(`${REAL} 5 l:1`), 'LOWER_THRESHOLD 2:30+3'],
  ['a lower threshold above the upper one', site(`${REAL} 5 l:3 u:2`), 'LOWER_THRESHOLD 2:30+3'],
  ['a pair that begins with a /', site(`${REAL} 5 "/a", "b" u:2`), 'PAIR 2:30+13'],
  ['words between weight and pair', site(`${REAL} 5 6 "a", "b"`), 'IGNORED_TEXT 2:23+17'],
  ['more strings than two', site(`${REAL} 5 "a", "b", "c"`), 'IGNORED_TEXT 2:23+20'],
  ['brackets round the forwarding', site('real=198.51.100.1:80 (masq) 5'), 'IGNORED_TEXT 2:23+8'],
  [
    'a global command in quotes',
    site(REAL, { globals: 'fallbackcommand="/f all"' }),
    'COMMAND_ARGUMENTS 1:17+8',
  ],
  ['words behind a checktype', site(`${REAL}\nchecktype=connect now`), 'IGNORED_TEXT 3:12+11'],
  ['brackets round a service', site(`${REAL}\nservice=(http)`), 'IGNORED_TEXT 3:10+6'],
  [
    'an empty status of mails',
    site(`${REAL}\nemailalertstatus=`),
    'NO_VALUE 3:19+1',
    'MAIL_TO_NOBODY 3:19+1',
  ],
  ['text behind a virtualhost', site(`${REAL}\nvirtualhost="a" b`), 'IGNORED_TEXT 3:18+1'],
  ['blanks behind a virtualhost', site(`${REAL}\nvirtualhost=a # c`), 'TRAILING_BLANKS 3:15+1'],
  [
    'blanks behind a checkcommand',
    site(`${REAL}\nchecktype=external\ncheckcommand=/x # c`),
    'TRAILING_BLANKS 4:17+1',
  ],
  ['smtp in quotes', site(REAL, { globals: 'smtp="mail"' }), 'NEEDLESS_QUOTES 1:6+6'],
]

/** Accepted with a note. */
const NOTED: readonly [phrase: string, text: string, ...notes: string[]][] = [
  [
    'a URL that names another host',
    site('real=198.51.100.1:80 gate 1 "http://other.example/", "ok"'),
    'REDIRECTS 1:9+12',
    'URL_HOST 2:7+15',
  ],
  ['fork', site(REAL, { globals: 'fork=yes' }), 'NEEDLESS 1:1+4', 'REDIRECTS 2:9+12'],
  ['readdquiescent', site(`${REAL}\nchecktype=on`, { globals: 'readdquiescent=yes' }), 'NEEDLESS 1:1+14'],
  ['load', site(`${REAL}\nchecktype=on\nload="x"`), 'NEEDLESS 4:2+4'],
  ['netmask alone', site(`${REAL}\nchecktype=on\nnetmask=255.255.255.0`), 'UNUSED 4:10+13'],
  [
    'a setting that the check has no use for',
    site(`${REAL}\nchecktype=connect\nreceive="ok"`),
    'UNUSED 4:10+4',
  ],
  ['checkport of an external command', site(`${REAL}\nchecktype=external\ncheckport=81`), 'UNUSED 4:12+2'],
  ['a Perl pattern', site(`${REAL}\nreceive="^OK$"`), 'REDIRECTS 1:9+12', 'PATTERN 3:10+6'],
  ['https', site(`${REAL}\nservice=https`), 'TLS_UNVERIFIED 3:10+5', 'REDIRECTS 3:10+5'],
  ['ldaps', site(`${REAL}\nservice=ldaps`), 'TLS_UNVERIFIED 3:10+5'],
  ['a login that ldap does not use', site(`${REAL}\nservice=ldap\nlogin="cn=a"`), 'UNUSED 4:8+6'],
  [
    'an answer that a database check does not look at',
    site(`${REAL}\nservice=mysql\nlogin="a"\nrequest="SELECT 1"\nreceive="1"`),
    'UNUSED 6:10+3',
  ],
  ['a password', site(`${REAL}\nservice=pop\nlogin="a"\npasswd="b"`), 'SECRET 5:9+3'],
  ['Oracle', site(`${REAL}\nservice=oracle\nlogin="a"\nrequest="SELECT 1"`), 'DRIVER 3:10+6'],
  ['RADIUS without a user', site(`${REAL}\nservice=radius\nsecret="s"`), 'INCOMPLETE 3:10+6', 'SECRET 4:9+3'],
  [
    'a Perl script',
    site(`${REAL}\nchecktype=external-perl\ncheckcommand="/etc/check.pl"\ncheckport=81`),
    'PERL 4:15+15',
    'EXTERNAL 4:15+15',
    'UNUSED 5:12+2',
  ],
  ['a command', site(`${REAL}\nchecktype=external\ncheckcommand="/bin/true"`), 'EXTERNAL 4:15+11'],
  [
    'connects between checks over UDP',
    site(`${REAL}\nservice=radius\nsecret="s"\nlogin="a"\nchecktype=3`),
    'SECRET 4:9+3',
    'CONNECTS 6:12+1',
  ],
  [
    'connects between checks of nothing',
    site(`${REAL}\nchecktype=3`, { head: 'virtual=192.0.2.1:9999' }),
    'CONNECTS 3:12+1',
  ],
  ['pops without a login', site(`${REAL}\nservice=pops`), 'TLS_UNVERIFIED 3:10+4', 'PROOF 3:10+4'],
  ['pops with one', site(`${REAL}\nservice=pops\nlogin="root"`), 'TLS_UNVERIFIED 3:10+4'],
  [
    'imaps on another port',
    site(`${REAL}\nservice=imaps\ncheckport=994`),
    'TLS_UNVERIFIED 3:10+5',
    'IMAP_PORT 4:12+3',
  ],
  ['imap on its port', site('real=198.51.100.1:143 masq', { head: 'virtual=192.0.2.1:143' })],
  ['ftp without receive', site(`${REAL}\nservice=ftp`), 'PROOF 3:10+3'],
  ['ftp with receive', site(`${REAL}\nservice=ftp\nreceive="ok"`)],
  [
    'submission with a login',
    site(`${REAL}\nservice=submission\nlogin="root"`),
    'NO_STARTTLS 3:10+10',
    'UNUSED 4:8+6',
  ],
  [
    'a fallback for a mark',
    site('real=198.51.100.1 gate\nchecktype=on', { head: 'virtual=5', globals: 'fallback=127.0.0.1' }),
    'LOOPBACK 1:10+9',
    'FALLBACK_FWMARK 2:9+1',
  ],
  [
    'a login of http, which ldirectord does not send',
    site(`${REAL}\npasswd="p"`),
    'REDIRECTS 1:9+12',
    'UNUSED 3:9+3',
  ],
  ['a host name', site('real=web1:80 masq\nchecktype=on'), 'NAME 2:7+7'],
  ['connect over udp', site(`${REAL}\nprotocol=udp\nchecktype=connect`), 'PING 4:12+7'],
]

/** Refused. */
const REFUSED: readonly [phrase: string, text: string, ...errors: string[]][] = [
  ['an unknown directive', site(`${REAL}\nrecieve="ok"`), 'UNKNOWN_DIRECTIVE 3:2+7'],
  ['an unknown global directive', site(REAL, { globals: 'quiet=yes' }), 'UNKNOWN_DIRECTIVE 1:1+5'],
  ['a heading', site(REAL, { globals: '[vip]' }), 'NO_DIRECTIVE 1:1+5'],
  ['dots', `${site(REAL)}...\n`, 'NO_DIRECTIVE 3:1+3'],
  ['a comment of another language', site(`; note\n${REAL}`), 'NO_DIRECTIVE 2:2+6'],
  ['timeout', site(REAL, { globals: 'timeout=3' }), 'DEPRECATED 1:1+7'],
  ['connecttimeout', site(`${REAL}\nconnecttimeout=3`), 'DEPRECATED 3:2+14'],
  ['a directive of a virtual before it', site(REAL, { globals: 'scheduler=rr' }), 'WRONG_PLACE 1:1+9'],
  ['a global directive in a virtual', site(`${REAL}\nautoreload=yes`), 'WRONG_PLACE 3:2+10'],
  ['a directive without a value', site(`${REAL}\nscheduler`), 'NO_VALUE 3:2+9'],
  ['neither yes nor no', site(REAL, { globals: 'quiescent=maybe' }), 'BAD_VALUE 1:11+5'],
  ['the number 0', site(REAL, { globals: 'checkinterval=0' }), 'BAD_VALUE 1:15+1'],
  ['no number', site(`${REAL}\npersistent=yes`), 'BAD_VALUE 3:13+3'],
  ['a port past the end', site(`${REAL}\ncheckport=65536`), 'BAD_VALUE 3:12+5'],
  ['an empty request', site(`${REAL}\nrequest=""`), 'BAD_VALUE 3:10+2'],
  ['a quote that does not end', site(`${REAL}\nrequest="a`), 'BAD_QUOTES 3:10+2'],
  ['single quotes', site(`${REAL}\nrequest='a'`), 'BAD_QUOTES 3:10+3'],
  ['an unknown checktype', site(`${REAL}\nchecktype=http`), 'BAD_VALUE 3:12+4'],
  ['digits in a checktype', site(`${REAL}\nchecktype=tcp4`), 'BAD_VALUE 3:12+4'],
  ['an unknown service', site(`${REAL}\nservice=ssh`), 'BAD_VALUE 3:10+3'],
  ['an unknown protocol', site(`${REAL}\nprotocol=sctp`), 'BAD_VALUE 3:11+4'],
  ['fwm for an address', site(`${REAL}\nprotocol=fwm`), 'BAD_VALUE 3:11+3'],
  ['tcp for a mark', site('real=198.51.100.1 gate\nprotocol=tcp', { head: 'virtual=5' }), 'BAD_VALUE 3:11+3'],
  ['an unknown method', site(`${REAL}\nhttpmethod=POST`), 'BAD_VALUE 3:13+4'],
  ['a scheduler in capitals', site(`${REAL}\nscheduler=WRR`), 'BAD_VALUE 3:12+3'],
  ['a half capital scheduler', site(`${REAL}\nscheduler=Wrr`), 'BAD_VALUE 3:12+3'],
  ['an unknown flag', site(`${REAL}\nschedflags=sh-prot`), 'BAD_VALUE 3:13+7'],
  ['a netmask that is none and has no effect', site(`${REAL}\nnetmask=64`), 'BAD_VALUE 3:10+2'],
  ['an empty mail address', site(`${REAL}\nemailalert=""`), 'BAD_VALUE 3:13+2'],
  ['a load without a letter', site(`${REAL}\nload="-"`), 'BAD_VALUE 3:7+3'],
  ['an empty load', site(`${REAL}\nload=""`), 'BAD_VALUE 3:7+2'],
  ['a netmask that is none', site(`${REAL}\npersistent=60\nnetmask=999.1.1.1`), 'BAD_VALUE 4:10+9'],
  ['a status of mails that is none', site(REAL, { globals: 'emailalertstatus=all,foo' }), 'BAD_VALUE 1:22+3'],
  ['a virtual without a port', site(REAL, { head: 'virtual=192.0.2.1' }), 'BAD_ADDRESS 1:9+9'],
  ['letters behind a mark', site('', { head: 'virtual=5abc' }), 'BAD_ADDRESS 1:9+4'],
  ['the mark 0', site('', { head: 'virtual=0' }), 'BAD_VALUE 1:9+1'],
  ['a quoted virtual', site(REAL, { head: 'virtual="192.0.2.1:80"' }), 'BAD_ADDRESS 1:9+14'],
  ['an octet past 255', site(REAL, { head: 'virtual=192.0.2.300:80' }), 'BAD_ADDRESS 1:9+14'],
  ['an unknown port', site(REAL, { head: 'virtual=192.0.2.1:nosuch' }), 'BAD_PORT 1:9+16'],
  ['IPv6 without brackets', site('', { head: 'virtual6=2001:db8::1:80' }), 'BAD_ADDRESS 1:10+14'],
  ['IPv4 behind virtual6', site('', { head: 'virtual6=192.0.2.1:80' }), 'BAD_ADDRESS 1:10+12'],
  ['the same virtual twice', site(REAL) + site(REAL), 'DUPLICATE_VIRTUAL 3:9+12'],
  ['no forwarding', site('real=198.51.100.1:80'), 'BAD_FORWARDING 2:7+15'],
  ['forwarding in capitals', site('real=198.51.100.1:80 GATE'), 'BAD_FORWARDING 2:23+4'],
  ['another word for forwarding', site('real=198.51.100.1:80 tunnel'), 'BAD_FORWARDING 2:23+6'],
  ['a negative weight', site('real=198.51.100.1:80 masq -1'), 'BAD_REAL 2:28+2'],
  ['a word behind the weight', site('real=198.51.100.1:80 masq 5 foo'), 'BAD_REAL 2:30+3'],
  ['half a pair', site('real=198.51.100.1:80 masq 5 "a"'), 'BAD_REAL 2:30+3'],
  ['signs before the address', site('real=@@198.51.100.1:80 masq'), 'BAD_ADDRESS 2:7+17'],
  ['a range that ends before it begins', site('real=198.51.100.3->198.51.100.1:80 gate'), 'BAD_RANGE 2:7+29'],
  ['a range with two ports', site('real=198.51.100.1:80->198.51.100.3:80 gate'), 'BAD_REAL 2:7+32'],
  ['a range with blanks', site('real=198.51.100.1 -> 198.51.100.3:80 gate'), 'BAD_FORWARDING 2:20+2'],
  [
    'a range of IPv6 that goes too far',
    site('real6=[2001:db8::2]->[2001:db9::4]:80 gate', { head: 'virtual6=[2001:db8::1]:80' }),
    'BAD_RANGE 2:8+31',
  ],
  ['a range of everything', site('real=1.0.0.0->200.0.0.0:80 masq'), 'BAD_RANGE 2:7+21'],
  ['names that do not count up', site('real=web->db:80 masq'), 'BAD_RANGE 2:7+10'],
  ['two words behind a fallback', site(`${REAL}\nfallback=127.0.0.1:80 gate 5`), 'BAD_FORWARDING 3:24+6'],
  ['a fallback of the other family', site(`${REAL}\nfallback6=[::1]:80`), 'FAMILY_MISMATCH 3:12+8'],
  ['text that is not UTF-8', site(`${REAL}\nreceive="h\ufffdllo"`), 'NOT_UTF8 3:12+1'],
]

describe('told: an ldirectord.cf with errors', () => {
  for (const [phrase, text, ...expected] of WARNED)
    it(`is accepted with a warning: ${phrase}`, async () => {
      const loaded = await loadCf(text)
      assert.deepEqual(told(loaded, 'error'), [])
      assert.deepEqual(told(loaded, 'warning'), expected)
      assert.deepEqual(await afterImport(loaded), loaded.config)
    })

  for (const [phrase, text, ...expected] of NOTED)
    it(`is accepted with a note: ${phrase}`, async () => {
      const loaded = await loadCf(text)
      assert.deepEqual(told(loaded, 'note'), expected)
      assert.deepEqual(await afterImport(loaded), loaded.config)
    })

  for (const [phrase, text, ...expected] of REFUSED)
    it(`is refused: ${phrase}`, async () => {
      const loaded = await loadCf(text)
      assert.deepEqual(told(loaded, 'error'), expected)
      assert.equal(loaded.config, null)
    })

  it('is reported with all its errors at once', async () => {
    const text =
      'quiescent=maybe\nvirtual=192.0.2.1:80\n\treal=198.51.100.1:80\n\tscheduler=WRR\n\trecieve="x"\n'
    assert.equal(told(await loadCf(text), 'error').length, 4)
  })

  it('is reported with the closest valid word', async () => {
    const { problems } = await loadCf(site(`${REAL}\nrecieve="ok"`))
    assert.match(
      problems.find(({ code }) => code === 'UNKNOWN_DIRECTIVE')?.message ?? '',
      /did you mean "receive"\?/,
    )
  })

  it('is reported with the behaviour of ldirectord', async () => {
    const { problems } = await loadCf(site(REAL, { head: 'virtual=192.168.1.5' }))
    assert.match(problems.find(({ code }) => code === 'BAD_ADDRESS')?.message ?? '', /firewall mark 192/)
    for (const [code, text] of [
      ['CHECK_OPTIONS', site(`${REAL}\nservice=dns\nrequest="two words"`)],
      ['CHECK_NEEDS_PORT', site('real=198.51.100.1 masq\nchecktype=connect', { head: 'virtual=1' })],
    ] as const) {
      const { problems } = await loadConfig('site.cf', { text })
      assert.match(
        problems.find(problem => problem.code === code)?.message ?? '',
        /; ldirectord accepts it, /,
      )
    }
  })
})

describe('told: a virtual that cannot be read', () => {
  it('is the only problem that is reported', async () => {
    const { problems } = await loadConfig('site.cf', { text: site(REAL, { head: 'virtual=192.168.1.5' }) })
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['BAD_ADDRESS'],
    )
  })
})

describe('told: the codes of an ldirectord.cf', () => {
  const tables = [WARNED, NOTED, REFUSED].flat()
  for (const code of [...Object.keys(LDIRECTORD_CODES), ...Object.keys(SPELLING_CODES)])
    it(`has a case for ${code}`, () => {
      assert.ok(tables.some(([, , ...expected]) => expected.some(one => one.startsWith(`${code} `))))
    })
})

describe('told: functions of ldirectord besides checks', () => {
  it('has the same settings', async () => {
    const globals = 'maintenancedir=/m\nautoreload=yes\ncallback="/c"\nfallbackcommand=/f all'
    const { config } = await loadCf(site(`${REAL}\nmonitorfile="/mon"`, { globals }))
    const { maintenancedir, autoreload, callback } = config?.settings ?? {}
    assert.deepEqual([maintenancedir, autoreload, callback], ['/m', true, '/c'])
    const [web] = config?.services ?? []
    assert.deepEqual([web?.fallbackcommand, web?.monitorfile], ['/f all', '/mon'])
  })

  it('has settings of one virtual, which replace the global ones', async () => {
    const loaded = await loadCf(site(`${REAL}\nfallbackcommand="/f web"`, { globals: 'fallbackcommand=/f' }))
    assert.equal(loaded.config?.services[0]?.fallbackcommand, '/f web')
    assert.deepEqual(await afterImport(loaded), loaded.config)
  })

  it('is switched off by an empty callback', async () => {
    const { config } = await loadCf(site(REAL, { globals: 'callback=""' }))
    assert.equal(config?.settings.callback, null)
  })
})
