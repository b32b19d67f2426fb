/** The Redis of the site: whether this director can use it. */
import { permissionsFor } from '../../core/redis-commands.js'
import { error, type Hazard, ok, warning } from '../finding.js'

/** The version of Redis that has all commands of lvsd. */
const OLDEST = 6

export const redis: Hazard = {
  id: 'redis',
  judge({ site }) {
    const { redis: found = null, config = null } = site ?? {}
    if (!found) return []
    const { place, fault, version, refused } = found
    const user = config?.cluster?.redis?.username ?? 'default'
    if (fault)
      return [
        error(
          `Redis at ${place} cannot be used: ${fault.detail}`,
          'This director shares nothing with the others: it goes on with what it knows. With a role from Redis its role stays as it is. Whether lvsd can use Redis is asked from where doctor runs.',
        ),
      ]
    if (refused.length > 0)
      return [
        error(
          `the user at ${place} has no permission for ${refused.join(', ')}`,
          'What needs these commands does not work. The reference (config/reference.md) has all commands and keys, and a line for the ACL file with the least permissions. A command may also be refused because the user may not use the keys or the channels of lvsd.',
          { commands: [`redis-cli ACL SETUSER ${user} ${permissionsFor(refused).join(' ')}`] },
        ),
      ]
    if (version !== null && Number.parseInt(version, 10) < OLDEST)
      return [
        warning(
          `Redis at ${place} has version ${version}`,
          'lvsd needs Redis 6.0 or later: older versions lack commands and permissions that it uses.',
        ),
      ]
    return [ok(`Redis${version === null ? '' : ` ${version}`} at ${place} can be used`)]
  },
}
