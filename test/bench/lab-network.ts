/** What the benchmarks need in a lab: addresses for many real servers, and quiet. */
import { run } from './kernel-table.js'
import { REALS } from './sites.js'

export function prepareLab(): void {
  // Loads the module, and IPv6 with it where that is a module too.
  run('ipvsadm', '-C')
  run('ip', '-6', 'route', 'add', 'local', `${REALS}::/64`, 'dev', 'lo')
  // keepalived writes each line of its log to the console too where no syslog listens: slow beyond measure in a guest.
  run('mount', '--bind', '/dev/null', '/dev/console')
}
