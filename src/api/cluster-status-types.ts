/** This director as one of several, in the status document and in that of the directors. */
import { z } from '../check/option-types.js'
import { causeStatus, list, time } from './model-types.js'

const redisStatus = z
  .object({
    state: z
      .enum(['connecting', 'connected', 'away'])
      .describe('away: it cannot be used, or a part of it; lvsd goes on with what it knows.'),
    since: time(),
    place: z.string().describe('Where it is: address, sentinels or nodes.'),
    version: z.string().nullable(),
    reason: z.string().nullable().describe('Set while it is away: refused, silent, NOAUTH, OOM and others.'),
    detail: z.string().nullable().describe('The reason for people.'),
  })
  .meta({ id: 'Redis' })

const connectivityStatus = z
  .object({
    lost: causeStatus
      .nullable()
      .describe('Set while this director has lost its network: failed checks do not count, the table stays.'),
    inDoubt: z
      .boolean()
      .describe('True while the next pings decide whether the network is lost: failed checks do not count.'),
    pings: list(
      z.object({
        address: z.string(),
        answers: z.boolean().nullable().describe('Null: not known yet.'),
      }),
    ),
    tracked: z
      .int()
      .nullable()
      .describe('The number in the track-file that keepalived reads; null: none was written.'),
  })
  .meta({ id: 'Connectivity', description: 'Whether this director has its network.' })

const directorStatus = z
  .object({
    id: z.string().describe('Survives a restart.'),
    host: z.string(),
    version: z.string(),
    role: z.enum(['active', 'standby']),
    config: z.string().describe('Hash of its services; equal for the same services.'),
    isSelf: z.boolean().describe('It is the director that answers.'),
    startedAt: time(),
    seenAt: time('The last heartbeat that was read.'),
    differs: list(z.string())
      .nullable()
      .describe(
        "Set if its configuration is another one: names of the services that differ, and of users' check files as `check file NAME`. Empty: they are not known yet.",
      ),
    goneAt: time()
      .nullable()
      .describe(
        'Since when it has had no heartbeat; null: it lives. One that is gone is listed for a day, or until this lvsd is restarted.',
      ),
  })
  .meta({ id: 'Director' })

const syncStatus = z
  .object({
    daemons: list(
      z.object({
        state: z.enum(['master', 'backup']),
        interface: z.string(),
        id: z.number(),
        group: z.string().nullable(),
        port: z.number().nullable(),
        ttl: z.number().nullable(),
        maxLength: z.number().nullable(),
      }),
    ).describe('Those that run in the kernel, of other programs too.'),
    trouble: z.string().nullable().describe('Set while the kernel refuses what is wanted.'),
  })
  .meta({ id: 'Sync', description: "The kernel's sync daemon." })

const sharingStatus = z
  .object({
    observers: z.number().describe('Directors that check each real server.'),
    agree: z.enum(['majority', 'all', 'any']).describe('How many of them must find it down.'),
    asked: z.number().describe('Checks that this director runs.'),
    heard: z.number().describe('Checks of which it hears what others say.'),
    disputed: z.number().describe('Checks of which directors say different things.'),
    directors: list(z.string()).describe('Hosts of the directors whose verdicts count, this one first.'),
    shares: list(
      z.object({
        id: z.string(),
        host: z.string(),
        isSelf: z.boolean(),
        verdicts: z.number().describe('Checks of which it says something.'),
        oldestSeconds: z
          .number()
          .nullable()
          .describe(
            'Age of the oldest result that its verdicts come from; null: it has none, or an older lvsd.',
          ),
      }),
    ).describe('What each of these directors says, this one first.'),
    differing: list(z.string()).describe(
      'Hosts of directors that find most of their servers otherwise than all others do.',
    ),
  })
  .meta({ id: 'Sharing', description: 'The checks that directors of the site share.' })

const activeTrouble = z
  .string()
  .nullable()
  .describe('Set while no director of the site is active, or several are, for people. Null without Redis.')

export const clusterStatus = z
  .object({
    site: z.string(),
    role: z.enum(['active', 'standby']),
    since: time(),
    reason: z.string().describe('Why it has this role, for people.'),
    from: z.string().describe('Who says so: `role.from` of the configuration.'),
    table: z
      .enum(['reconcile', 'keep', 'empty'])
      .describe(
        'What lvsd does with the table: makes it equal to the desired one, writes nothing, or empties it.',
      ),
    checks: z.enum(['on', 'slow', 'off']).describe('How real servers are checked at present.'),
    trouble: z.string().nullable().describe('Set while the source of the role cannot be read.'),
    activeTrouble,
    redis: redisStatus.nullable().describe('The Redis of the site; null: none is configured.'),
    connectivity: connectivityStatus.nullable().describe('Null: the configuration has no conditions for it.'),
    sync: syncStatus.nullable().describe('Null: none is configured.'),
    verdicts: sharingStatus.nullable().describe('Null: each director checks everything.'),
    directors: list(directorStatus).describe(
      'The directors of the site, this one first, those that are gone last; empty without Redis. While Redis is away: as it was.',
    ),
  })
  .meta({ id: 'Cluster', description: 'This director as one of several.' })

export const directorsDocument = z
  .object({
    schema: z.literal(1),
    now: time("By the daemon's clock."),
    site: z.string().nullable().describe('Null: this director serves alone.'),
    redis: redisStatus.nullable(),
    activeTrouble,
    directors: list(directorStatus).describe('This one first; empty without Redis.'),
    verdicts: sharingStatus.nullable().describe('Null: each director checks everything.'),
  })
  .meta({ id: 'Directors', description: 'The directors of the site, as this one knows them.' })

export type DirectorsDocument = Readonly<z.output<typeof directorsDocument>>
export type DirectorStatus = Readonly<z.output<typeof directorStatus>>
export type ClusterStatus = Readonly<z.output<typeof clusterStatus>>
