/** The tables of config/reference.md on what lvsd does in Redis: keys, commands, permissions. */
import { aclLine, CLUSTER_COMMANDS, REDIS_COMMANDS, SENTINEL_COMMANDS } from '../../core/redis-commands.js'
import { REDIS_KEYS, REDIS_SCHEMA } from '../../core/redis-keys.js'
import { duration } from '../../util/time-text.js'
import { tableOf } from './markdown-table.js'

/** What a director does with values of a newer schema. */
const NEWER = [
  [
    'override',
    'One with an effect that it does not know, or a higher `schema`, is not in force there, is told once (`override.unknown`), stays as it is, and cannot be changed there.',
  ],
  [
    'heartbeat',
    'Its director lives. What cannot be read is empty; an unknown role counts as standby; its services differ.',
  ],
  [
    'verdicts',
    'Their director is no observer for it: the older directors check everything among themselves, and the newer ones too.',
  ],
  ['events', 'Those that have `time`, `event`, `msg` and `host` are shown; an unknown level counts as info.'],
  ['claim of an alert', 'Stays as it is; the older director sends the message too: rather twice than never.'],
] as const

export function redisTables(): string {
  const keys = Object.entries(REDIS_KEYS).map(([name, { type, expiry, writer, about }]) => [
    `\`${name}\``,
    type,
    expiry === null ? '' : duration(expiry),
    writer,
    about,
  ])
  const commands = Object.entries({ ...REDIS_COMMANDS, ...CLUSTER_COMMANDS, ...SENTINEL_COMMANDS }).map(
    ([name, { since, about }]) => [`\`${name}\``, since, about],
  )
  return [
    '### Keys and channels in Redis',
    '',
    `Each name stands behind \`{PREFIX:SITE}:\`. This is version ${REDIS_SCHEMA} of their meaning. Every key expires.`,
    '',
    tableOf(['Name', 'Type', 'Expiry', 'Who writes it', 'Meaning'], keys),
    '',
    'Directors with different versions of lvsd may share a site. Fields that an older one does not know are kept wherever it writes the value again. Where a newer one has written something else:',
    '',
    tableOf(['Value', 'On the older director'], NEWER),
    '',
    '### Commands and permissions',
    '',
    'lvsd sends no other commands. CLUSTER SLOTS, INFO, READONLY and ASKING are for a Redis Cluster; the SENTINEL command goes to sentinels.',
    '',
    tableOf(['Command', 'Since', 'Purpose'], commands),
    '',
    'A user that may do no more, as a line of the ACL file of Redis (the default prefix, any site). Redis 6.0 has no permissions for channels: leave out `resetchannels` and `&…` there.',
    '',
    '```',
    aclLine('lvsd', 'lvsd'),
    '```',
    '',
    'For a Redis Cluster:',
    '',
    '```',
    aclLine('lvsd', 'lvsd', true),
    '```',
    '',
  ].join('\n')
}
