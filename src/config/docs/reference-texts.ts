/** The texts of config/reference.md that are not generated from the schema. */
import { NO_EVENTS } from '../../core/log-events.js'

export const HEAD = `# Configuration reference

Made from the schema by \`npm run docs\`; a test keeps it so. A small site to begin with: [example.yaml](example.yaml).
Whole configurations for common cases: [recipes](recipes/README.md).
\`lvsd validate FILE\` tells every mistake with its place. Editors complete and check with [lvsd.schema.json](lvsd.schema.json);
for the YAML language server begin the file with \`# yaml-language-server: $schema=lvsd.schema.json\` (the path or URL of it).

- **Durations**: \`500ms\`, \`3s\`, \`1.5s\`, \`2m\`, \`1h\`, or a number of seconds.
- **Addresses**: \`'[2001:db8::1]:80'\` with quotes, because YAML reads \`[ ]\` as a list; \`192.0.2.1:80\`; \`web1.example:80\`.
  Names are resolved again and again while lvsd runs. Ports may be names of \`/etc/services\`: \`'[2001:db8::1]:https'\`.
- **Paths**: a relative path begins in the folder of the file in which it stands: \`ca\`, \`cert\`, \`key\`, files of secrets,
  folders of checks, \`monitorfile\`, \`maintenancedir\`, \`include\`, \`socket\`, \`state\`. A \`checkcommand\` with a slash is such a
  path; one without is looked up. Command lines for the shell (\`callback\`, \`fallbackcommand\`) run in \`/\`: write whole paths there.
  In an \`ldirectord.cf\` paths count as with ldirectord.
- **Short forms**: a real server as \`'[2001:db8::1]:80 masq 2'\` (address, forwarding, weight), a check as its kind.
- **Inheritance**: a real server takes what it does not set from its service, then from \`defaults\`, then the default given here.
- **Anchors**: top-level keys that begin with \`x-\` are free for them, and \`<<: *name\` merges. A merge brings whole keys: a
  \`check\` that stands beside \`<<\` takes the place of the merged one. To change only a part of a check, put the check into
  \`defaults\` or into the service.
- **The ending of the name decides**: \`.yaml\`, \`.yml\` and \`.json\` are YAML, \`.cf\` is an ldirectord.cf. Without one of these the
  text decides.
`

export const INCLUDE = `\`include\` reads further files, each in the same form as this one. Their services, settings, sysctls and alerts count as if they were in this file;
the name of a service, a receiver of alerts and a setting stand in one file only, \`api\` and \`cluster\` in this one. The \`defaults\` of an included file are laid over those of the
including one, key by key, and count for its own services. Anchors count in their own file. A pattern may have \`*\`, \`?\` and
\`[a-z]\`; files whose names begin with a dot are left out; a pattern that matches nothing is no mistake. With \`autoreload\`
a change of any of these files is a change of the configuration, and so is a new file that matches, and one that is gone: it counts as
a file that has lost all of its lines. A file with nothing but blanks and comments adds nothing, which is told (\`EMPTY_INCLUDE\`); a reload that removes
real servers while a file has become so is refused unless it is forced. Delete a file, or rename it, to take its services away.
`

export const SCHEDULERS = `### Schedulers

| Word | New connections go to |
| --- | --- |
| \`rr\` | each server in turn |
| \`wrr\` | each in turn, as often as its weight says |
| \`lc\` | the server with the fewest connections |
| \`wlc\` | the same, counted by weight: the default |
| \`sed\` | the server that would have the fewest connections by weight with the new one |
| \`nq\` | an idle server first, else as \`sed\` |
| \`sh\` | a server chosen by the client's address: a client stays with its server |
| \`mh\` | the same by Google's Maglev hash: fewer clients move when a server comes or goes |
| \`dh\` | a server chosen by the destination address, for caches behind a firewall mark |
| \`lblc\`, \`lblcr\` | one server, or a set of servers, for each destination; for caches |
| \`fo\` | the server with the highest weight that is up: one works, the others are spare |
| \`ovf\` | the server with the highest weight, up to as many connections as its weight, then the next |
| \`twos\` | the better of two servers that are chosen at random by weight |

A server of weight 0 gets no new connections from any of them.
`

export const CHECKS = `## check

A check is a kind alone (\`check: connect\`), a mapping (\`check: { kind: http, request: /health }\`), or a list of several,
for which \`checks\` reads better. \`check: none\` counts every real server as up.

A real server's check is laid over that of its service, and that over \`check\` of \`defaults\`. Where the kind is the same,
or none is given, all keys that are not given again stay; where it is another kind, the common keys from interval to
fastinter stay. A mapping without a kind changes every check of the service. A list of checks takes the place of the list
below it: a kind that is not in the new list is not checked.

\`need\` says how many of several checks must pass for a server to be up: \`all\`, \`any\`, or a number.

A check may advise a weight, as \`agent\` does: a per cent value is a share of the weight that is configured for the server
(25% of 10 is 3, rounded, and at least 1); the advice counts until the next one.

Passwords and other secrets may stand elsewhere: \`passwd: { file: pop.passwd }\`, a file of one line, or
\`passwd: { env: POP_PASSWD }\`, a variable of lvsd's environment; so may each value in \`headers\` and each step in \`steps\`.
They are read with the configuration, at each reload anew. Options of the type "never shown" appear neither in messages
nor in logs nor in the status, wherever they stand. \`lvsd import\` writes them into its YAML.

These keys are common to all kinds:
`

export const PROBLEMS = `## Problems

The codes are stable. An error is what cannot run, or what is certainly not meant. A warning or a note runs, and may be meant:
a service without real servers, or without a check, is one. \`lvsd validate --strict\` counts warnings as errors.
`

export const LOG_LINES = `## Log events

The \`event\` of a line in the log says of what kind it is. The names are stable; the messages are for people, and may change.
A line has the fields of its kind as far as they apply, and \`time\`, \`level\`, \`pid\` and \`msg\`. A line of level
info or above is an event and has an \`id\`, which increases, except ${[...NO_EVENTS].map(name => `\`${name}\``).join(', ')}. On a terminal and in the log of the
command \`ldirectord\`, which are for people, the names are not shown.
`

export const METRIC_LINES = `## Metrics

\`GET /metrics\` on the control socket answers in Prometheus' text format, or in OpenMetrics where the request asks for it:
\`curl --unix-socket /run/lvsd/lvsd.sock http://lvsd/metrics\`. \`real\` is the real server as in \`lvsd status\`,
\`[2001:db8::1]:80\`. Counters begin at 0 when lvsd starts; those of connections, bytes and packets are the kernel's. Metrics
of real servers exist for the first \`metrics-reals\` of the configuration, those of overrides for all. The names and labels
are stable. [deploy/README.md](../deploy/README.md#metrics-for-prometheus) has alert rules, a dashboard and an example of a scrape.
`
