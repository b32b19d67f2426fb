/** What the core must know of a kind of check, the check says itself: nothing in src/ has a kind's name in a string or as a key. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadChecks } from '../../src/kinds/find-kinds.js'
import { packageRoot } from '../../src/system/version.js'
import { groupOf } from '../../src/workers/pool.js'

/** Where kinds may be named: what ldirectord knows of each, its command, and the demo's site. */
const EXEMPT = /^(config\/ldirectord\/kinds\.ts$|ldirectord-command\/|cli\/demo\/)/

/** Words that are names of kinds and mean something else here. Files are below src/; without `words` all are meant. */
const ELSE: readonly {
  readonly is: string
  readonly words?: readonly string[]
  readonly files: readonly string[]
}[] = [
  { is: 'words that people bring along from other programs', files: ['config/problems/'] },
  { is: 'ports by the names of their services', files: ['config/ports.ts'] },
  {
    is: 'a protocol of virtual services',
    words: ['udp'],
    files: [
      'core/model.ts',
      'config/schema/schema.ts',
      'config/validate/scheduling.ts',
      'config/ldirectord/',
      'ipvs/',
      'cli/terminal/drain.ts',
      'core/on-down.ts',
      'api/connection-types.ts',
      'api/model-types.ts',
    ],
  },
  {
    is: 'forms and judges of probes',
    words: ['udp', 'http'],
    files: ['check/probe-spec.ts', 'probe/', 'config/validate/need.ts'],
  },
  {
    is: 'a phase of a run, an event of a socket, or a system call',
    words: ['connect'],
    files: [
      'core/hints.ts',
      'core/model.ts',
      'core/on-down.ts',
      'check/error-to-answer.ts',
      'hints/',
      'probe/',
      'schedule/connects-between.ts',
      'schedule/scheduler.ts',
      'system/numeric-calls.ts',
      'workers/messages.ts',
      'api/socket-path.ts',
      'api/model-types.ts',
      'notify/mail/transport.ts',
    ],
  },
  {
    is: 'a reason for which a server is down',
    words: ['off', 'tls'],
    files: ['core/model.ts', 'check/error-to-answer.ts', 'api/status-reason.ts'],
  },
  {
    is: 'nothing at all',
    words: ['none'],
    files: [
      'core/model.ts',
      'config/schema/',
      'config/read/read-node.ts',
      'config/validate/',
      'config/ldirectord/',
      'ipvs/',
      'names/system-file.ts',
      'cli/terminal/changes.ts',
      'doctor/hazards/tunnels.ts',
      'util/closest-match.ts',
    ],
  },
  {
    is: "the kernel's engine of persistence",
    words: ['sip'],
    files: ['config/schema/schema.ts', 'ipvs/'],
  },
  { is: "an option of Node's requests", words: ['agent'], files: ['api/client.ts'] },
  { is: 'a source of names', words: ['dns'], files: ['names/nsswitch.ts'] },
  {
    is: "ldirectord's directive for a mail server",
    words: ['smtp'],
    files: ['config/ldirectord/directive-table.ts'],
  },
  {
    is: 'keys of a configuration and parts of a URL of the API',
    words: ['http', 'https', 'tls'],
    files: [
      'api/tcp-listener.ts',
      'api/tcp-listeners.ts',
      'api/tls-files.ts',
      'config/schema/api-fields.ts',
      'notify/alerts/http-post.ts',
    ],
  },
  {
    is: 'a value of a header, or a result of a reload',
    words: ['none'],
    files: ['api/page.ts', 'metrics/tallies.ts', 'api/table-types.ts'],
  },
  { is: 'what an override is on', words: ['on'], files: ['api/why-types.ts'] },
  { is: 'an option of the mail library', words: ['tls'], files: ['notify/mail/transport.ts'] },
  {
    is: 'the Redis of a site, its connection over TLS, and the source of a role',
    words: ['redis', 'tls'],
    files: [
      'api/cluster-status.ts',
      'api/cluster-status-types.ts',
      'cli/terminal/status-head.ts',
      'cluster/',
      'config/schema/cluster-fields.ts',
      'config/schema/redis-fields.ts',
      'config/validate/cluster.ts',
      'core/log-events/',
      'core/redis-',
      'director/',
      'doctor/',
    ],
  },
  {
    is: 'whom a director pings to learn whether it has its network',
    words: ['ping'],
    files: ['config/schema/connectivity-fields.ts', 'config/validate/connectivity.ts'],
  },
  {
    is: 'a state of something that may be switched off, such as the checks of a standby',
    words: ['on', 'off', 'none'],
    files: [
      'api/cluster-status.ts',
      'api/cluster-status-types.ts',
      'cli/terminal/',
      'cluster/',
      'cli/commands/simulate.ts',
      'config/schema/cluster-fields.ts',
      'core/connectivity.ts',
      'core/role.ts',
      'core/site-active.ts',
      'core/sync-daemon.ts',
      'hints/path-hints.ts',
      'director/',
      'hints/tcp.ts',
      'simulate/failure-spec.ts',
    ],
  },
  {
    is: "the bundler's word for packages that stay outside",
    words: ['external'],
    files: ['workers/worker-process.ts'],
  },
]

interface Named {
  readonly file: string
  readonly word: string
}

/** Each name that is a whole string, or the key of a table. Sentences to people may give a kind as an example. */
function namesIn(file: string, source: string, names: readonly string[]): readonly Named[] {
  const code = source.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '')
  const any = names.join('|')
  const found = code.matchAll(new RegExp(`(['"])(${any})\\1|(?:^|[{,])\\s*(${any}): `, 'gm'))
  return [...found].map(([, , word, key]) => ({ file, word: (word ?? key) as string }))
}

const isElse = ({ file, word }: Named, { words, files }: (typeof ELSE)[number]) =>
  (words?.includes(word) ?? true) && files.some(start => file.startsWith(start))

describe('kind-names: the names of kinds', () => {
  let named: readonly Named[] = []
  let kinds: readonly string[] = []

  before(async () => {
    kinds = [...(await loadChecks()).checks.keys()]
    const src = join(packageRoot, 'src')
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
    named = files
      .filter(file => !EXEMPT.test(file))
      .flatMap(file => namesIn(file, readFileSync(join(src, file), 'utf8'), kinds))
  })

  it('do not occur in files of the core: the check itself states what the core needs', () => {
    const wrong = named.filter(one => !ELSE.some(other => isElse(one, other)))
    assert.deepEqual(
      wrong.map(({ file, word }) => `src/${file} names ${word}`),
      [],
    )
  })

  it('are allowed as other words only in files that contain them', () => {
    for (const other of ELSE)
      for (const start of other.files)
        assert.ok(
          named.some(one => isElse(one, { ...other, files: [start] })),
          `src/${start} has no word for ${other.is} any more: take it out of the list`,
        )
  })

  it('are not needed to find kinds that start processes: each kind declares it', async () => {
    const { checks } = await loadChecks()
    for (const [name, check] of checks) {
      const file = readFileSync(join(packageRoot, 'checks', `${check.name}.ts`), 'utf8')
      const group = file.includes("'./lib/command.js'") ? 'commands' : 'checks'
      assert.equal(groupOf(check), group, name)
    }
  })

  it('are found by this test if a file contains one', () => {
    const found = (source: string) => namesIn('x.ts', source, kinds).map(({ word }) => word)
    assert.deepEqual(found(`if (kind === 'agent') f(["https", 'external-perl'])`), [
      'agent',
      'https',
      'external-perl',
    ])
    assert.deepEqual(found(`const A = {\n  ldap: 1,\n  'http-proxy': 2, pgsql: 3 }`), [
      'ldap',
      'http-proxy',
      'pgsql',
    ])
    assert.deepEqual(
      found(`/** A \`ping\`, 'udp'. */\n// 'smtp'\nf('no ping', 'https://a', x.dns, pinged: 1)`),
      [],
    )
  })
})
