/** A running lvsd beside servers that answer to harm: see watch.ts for what is expected of it. */
import { packageRoot } from '../../src/system/version.js'
import { compile } from '../support/compile.js'
import { type Case, watch } from './watch.js'

/** Expressions that take for ever on a backtracking engine, with a page that makes them. */
const EXPRESSIONS: readonly (readonly [name: string, source: string, text: string])[] = [
  ['blanks', '(<html>|OK)(.|\\s)*OK|^OK', 'blanks'],
  ['overlapping alternatives', '(a|a)*b', 'as'],
  ['options', `(a?){28}a{28}b|aab`, 'options'],
  ['a backreference', '(a|a)*(b)\\2?!?|(x)\\3(a|a)*$', 'as'],
  ['look-ahead', '(?=(a|a)*b)aab', 'as'],
  ['nested repetition', '(a+)+b', 'as'],
]

const expressionCases = (kind: string, prefix: string, friend: string, more = ''): Case[] =>
  EXPRESSIONS.map(([name, source, text]) => ({
    name: `${kind}: ${name}`,
    server: `${prefix}-${text}`,
    check: `kind: ${kind}, receive: '${source}'${more}`,
    friend,
    state: 'down',
  }))

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  redis: ['one-more', 'nulls', 'null-lists', 'deep', 'long', 'many', 'endless'].map(name => ({
    name,
    server: `redis-${name}`,
    check: 'kind: redis',
    friend: 'redis',
    state: name === 'one-more' ? 'any' : 'down',
  })),
  'expressions in http': expressionCases('http', 'page', 'page'),
  'expressions in simpletcp': expressionCases('simpletcp', 'line', 'line'),
  'expressions in https': expressionCases('https', 'tls-page', 'tls-page').filter(
    ({ server }) => server !== 'tls-page-options',
  ),
  'expressions in dialogue': EXPRESSIONS.map(([name, source, text]) => ({
    name,
    server: `line-${text}`,
    check: `kind: dialogue, steps: ['line ${source}']`,
    friend: 'line',
    state: 'down',
  })),
  'expressions asked again and again': [
    {
      name: 'dns, 1,300 records',
      server: 'txt-many',
      check: "kind: dns, transport: tcp, request: example.com, type: TXT, receive: '(a+)+$'",
      friend: null,
      state: 'down',
    },
    {
      name: 'pgsql, 1,500 rows',
      server: 'rows-many',
      check: "kind: pgsql, request: select 1, receive: '(a+)+$|OK'",
      friend: 'pgsql',
      state: 'down',
    },
    {
      name: 'dialogue, lines without end',
      server: 'lines-endless',
      check: "kind: dialogue, steps: ['lines (a|a)*b']",
      friend: 'line',
      state: 'down',
    },
  ],
  protocols: [
    {
      name: 'dns, chains of pointers',
      server: 'pointers',
      check: 'kind: dns, transport: tcp, request: example.com, type: TXT',
      friend: 'txt',
      state: 'any',
    },
    { name: 'pgsql, zeros', server: 'zeros-to-pgsql', check: 'kind: pgsql', friend: 'pgsql', state: 'down' },
    {
      name: 'pop, a greeting of 64 KB',
      server: 'pop-greeting',
      check: 'kind: pop, login: u, passwd: p',
      friend: null,
      state: 'down',
    },
    {
      name: 'imap, capabilities',
      server: 'imap-capabilities',
      check: 'kind: imap, starttls: true',
      friend: null,
      state: 'down',
    },
    ...['http-100-endless', 'http-chunks', 'http-single-bytes', 'http-phrase', 'http-headers', 'garbage'].map(
      server => ({
        name: server,
        server,
        check: 'kind: http, receive: OK',
        friend: 'page',
        state: 'down' as const,
      }),
    ),
    ...['tls-http-100-endless', 'tls-http-chunks', 'tls-garbage'].map(server => ({
      name: server,
      server,
      check: 'kind: https, receive: OK',
      friend: 'tls-page',
      state: 'down' as const,
    })),
    {
      name: 'https, a redirecting client against endless 100',
      server: 'http-100-endless',
      check: 'kind: http, redirects: 2',
      friend: 'page',
      state: 'down',
    },
    {
      name: 'grpc, 103 without end',
      server: 'http2-103-endless',
      check: 'kind: grpc',
      friend: null,
      state: 'down',
    },
    { name: 'grpc, garbage', server: 'garbage', check: 'kind: grpc', friend: null, state: 'down' },
    {
      name: 'mysql, garbage',
      server: 'garbage',
      check: 'kind: mysql, login: u',
      friend: null,
      state: 'down',
    },
    { name: 'ldap, garbage', server: 'garbage', check: 'kind: ldap', friend: null, state: 'down' },
  ],
}

describe('lvsd run beside hostile servers', function () {
  this.timeout(300_000)

  before(() => compile(packageRoot))

  for (const [group, cases] of Object.entries(GROUPS))
    it(`${group}: ${cases.length} cases with three servers each`, async () => {
      const { friend, check } = cases.find(one => one.friend !== null && one.friend !== 'page') ?? {}
      await watch(cases, friend && check ? { dying: { friend, check } } : {})
    })
})
