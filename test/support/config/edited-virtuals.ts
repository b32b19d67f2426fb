/** Texts of sites as an ldirectord.cf. */
import type { Language, Site } from './edited-sites.js'

/** Lines of a virtual, without the first one. */
const BODIES: readonly (readonly string[])[] = [
  ['real6=[2001:db8:1::11]:80 gate 1', 'real6=[2001:db8:1::12]:80 gate 2', 'service=http', 'request="/a b"'],
  ['# a comment', 'real6=[2001:db8:1::13]:80 masq 2', 'checktype=connect'],
  ['servicename=same', 'real6=[2001:db8:1::14]:80 gate', 'checktype=on'],
  ['real6=[2001:db8:1::15]:http gate', 'checktype=connect'],
  ['real6=[2001:db8:1::16]:80 gate', 'checktype=external', 'checkcommand=/bin/true'],
  ['real6=[2001:db8:1::17]:80 gate', 'service=ftp', 'login=a', 'passwd=secret', 'request=file'],
  ['real6=[2001:db8:1::18]:80 gate', 'service=ftp', 'request=file'],
  ['real6=[2001:db8:1::19]:80 gate', 'checktype=5', 'service=http', 'request=/x', 'persistent=600'],
  ['real6=[2001:db8:1::20]:80 gate', 'service=https', 'fallback6=[2001:db8:9::2]:80 gate'],
  ['real6=[2001:db8:1::21]:80 gate', 'scheduler=rr', 'scheduler=wlc', 'checktype=off'],
  ['real6=[2001:db8:1::22]->[2001:db8:1::24]:80 gate 3', 'checktype=ping'],
  ['real6=[2001:db8:1::25] gate', 'real6=[2001:db8:1::26]:81 masq', 'service=http', 'quiescent=yes'],
]

const HEADS = [
  'checkinterval=20\nautoreload=no\n\n',
  '# all of them\nchecktimeout=3\nlogfile=/var/log/x.log\nsupervised=yes\nfallback6=[2001:db8:9::1]:80 gate\n',
  'emailalert=a@example.com\n',
]

const TAILS = ['', '# the end\n', 'quiescent=no\n']

/** A line that stands anywhere, mostly where it should not. */
const STRAY = [
  '',
  '\t',
  '# a comment',
  '\t# a comment',
  '\tquiescent=yes',
  '    scheduler=rr',
  '  scheduler=rr',
  'scheduler=rr',
  'quiescent=yes',
  'checkinterval=9',
  '\tcheckinterval=9',
  '\treal6=[2001:db8:1::99]:80 gate',
  '\treal6=[2001:db8:1::99]:http gate',
  'virtual6=[2001:db8::99]:80',
  'virtual6=[2001:db8::1]:80',
  'virtual6 = [2001:db8::98]:http',
  ' virtual6=[2001:db8::97]:80',
  'virtual=192.0.2.1:80',
  '\tservicename=same',
  '\tservicename=web 1',
  'junk',
  '\tjunk',
  '\tsheduler=rr',
  '\tchecktype=connect\r',
  '\u00a0\u00a0\u00a0\u00a0checktype=connect',
  'fallback6=[2001:db8:9::3]:80',
  'services:',
]

function textOf({ head, tail, services }: Site, password: string): string {
  const blocks = services.map(({ number, body, port }) =>
    [
      `virtual6=[2001:db8::${number}]:80`,
      ...[...(BODIES[body % BODIES.length] ?? []), ...(port === 80 ? [] : ['protocol=udp'])].map(line =>
        line === '' ? '' : `\t${line}`,
      ),
      '',
      '',
    ].join('\n'),
  )
  return `${HEADS[head]}${blocks.join('')}${TAILS[tail]}`.replaceAll('PASSWORD', password)
}

export const LDIRECTORD_CF: Language = { textOf, stray: STRAY }
