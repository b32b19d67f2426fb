/** The keys of `cluster`: what a director does that is one of several. */
import { marks, z } from '../../check/option-types.js'
import { optionalPath } from './field-types.js'
import { mapping, orNull } from './forms.js'
import { redisNode } from './redis-fields.js'

export const roleFields = {
  from: z
    .enum(['always-active', 'file'])
    .default('always-active')
    .describe(
      'Who says whether this director is active or standby. always-active: it is active. file: the first word of a file, active or standby; words of VRRP and Pacemaker (MASTER, BACKUP, FAULT, Promoted) count, too. While the file is missing, this director is standby.',
    ),
  path: optionalPath().describe('With file: the file, such as /run/lvsd/role.'),
}

export const standbyFields = {
  table: z
    .enum(['same', 'keep', 'empty'])
    .default('same')
    .describe(
      "What a standby does with the kernel's table. same: it keeps it up to date, so that a takeover needs nothing. keep: it writes nothing. empty: it removes the services of lvsd, for directors that are also real servers.",
    ),
  checks: z
    .enum(['on', 'slow', 'off'])
    .default('on')
    .describe(
      'Whether a standby checks the real servers. slow: at intervals ten times as long. off: not at all, so that a takeover begins with the health that was known last.',
    ),
}

export const clusterFields = {
  site: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: 'expected a name of letters, digits, ".", "-" and "_"' })
    .register(marks, { shown: 'name' })
    .default('default')
    .describe('Name of the group of directors that serve the same virtual addresses.'),
  role: mapping('role', 'a mapping with from', roleFields)
    .optional()
    .describe('Whether this director is active or standby, and who says so. Default: always-active.'),
  standby: mapping('standby', 'a mapping with table and checks', standbyFields)
    .optional()
    .describe('What this director does while it is standby.'),
  redis: orNull(redisNode).describe(
    'The Redis through which the directors of the site share what they know. Default: they share nothing.',
  ),
}

export const clusterNode = mapping('cluster', 'a mapping with role', clusterFields)
