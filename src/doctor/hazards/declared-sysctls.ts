/** The sysctls that the configuration declares. */
import { sameValue } from '../../core/sysctl.js'
import type { Facts } from '../facts.js'
import { error, type Hazard, type Judgement, note, notKnown, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { namesOf, withForwarding } from '../uses.js'

export const declaredSysctls: Hazard = {
  id: 'declared-sysctls',
  judge(facts) {
    const declared = Object.entries(facts.site?.config?.sysctls ?? {})
    return [...declared.map(([name, wanted]) => judgeOne(name, wanted, facts)), ...restart(facts)]
  },
}

function judgeOne(name: string, wanted: string, facts: Facts): Judgement {
  const value = sysctl(facts, name)
  if (value === undefined)
    return facts.machine.hasIpvs !== true && name.startsWith('net.ipv4.vs.')
      ? notKnown(`${name} is not known`, 'It exists once IPVS is loaded.')
      : error(
          `the kernel has no sysctl ${name}`,
          'The configuration declares it. Is the name right? Those of a module or an interface exist while it is there.',
        )
  if (value === null) return notKnown(`${name} is not known`, 'It cannot be read by this user.')
  if (sameValue(value, wanted)) return ok(`${name} is ${wanted}, as declared`)
  const isRunning = facts.machine.daemon.state === 'running'
  return (isRunning ? warning : note)(
    `${name} is ${value}, not ${wanted} as the configuration declares`,
    isRunning
      ? 'lvsd sets it at its start and at each resync. If it stays different, lvsd may not write it: the unit lvsd.service forbids that unless the drop-in deploy/lvsd.service.d/sysctls.conf is installed. lvsd status says what happened.'
      : 'lvsd sets it when it starts. If the unit lvsd.service starts it, the drop-in deploy/lvsd.service.d/sysctls.conf must be installed.',
    { commands: [`sysctl -w ${name}=${wanted.includes(' ') ? `"${wanted}"` : wanted}`] },
  )
}

/** Without these nothing reaches a real server by NAT, or the client. */
const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding', 'net.ipv6.conf.all.forwarding']

/** At a restart forwarding is off for a moment, although the table stays. */
function restart(facts: Facts): readonly Judgement[] {
  const { sysctls = {}, settings } = facts.site?.config ?? {}
  const names = FORWARDING.filter(name => Object.hasOwn(sysctls, name) && sysctls[name] !== '0')
  const services = withForwarding(facts, 'masq').filter(({ cleanstop }) => !cleanstop)
  if (names.length === 0 || services.length === 0 || settings?.keepSysctls) return []
  return [
    note(
      'a restart of lvsd turns forwarding off for a moment',
      `lvsd restores ${names.join(', ')} when it ends, and a restart is an end. The table stays, but packets of masq are dropped until lvsd has started again; after a stop they are dropped for good. "settings: keep-sysctls: true" leaves the values as they are, and so does a file in /etc/sysctl.d in place of "sysctls:".`,
      { services: namesOf(services) },
    ),
  ]
}
