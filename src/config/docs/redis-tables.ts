/** The tables of config/reference.md on what lvsd does in Redis: keys, commands, permissions. */
import { aclLine, CLUSTER_COMMANDS, REDIS_COMMANDS, SENTINEL_COMMANDS } from '../../core/redis-commands.js'
import { REDIS_KEYS, REDIS_SCHEMA } from '../../core/redis-keys.js'
import { duration } from '../../util/time-text.js'
import { tableOf } from './markdown-table.js'

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
