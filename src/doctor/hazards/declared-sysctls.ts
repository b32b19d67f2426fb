/** The sysctls that the configuration declares. */
import { sameValue } from '../../core/sysctl.js'
import { error, type Hazard, notKnown, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'

export const declaredSysctls: Hazard = {
  id: 'declared-sysctls',
  judge(facts) {
    const declared = Object.entries(facts.site?.config?.sysctls ?? {})
    return declared.map(([name, wanted]) => {
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
      return warning(
        `${name} is ${value}, not ${wanted} as the configuration declares`,
        isRunning
          ? 'lvsd sets it at its start and at each resync. If it stays different, lvsd may not write it: the unit lvsd.service forbids that unless the drop-in deploy/lvsd.service.d/sysctls.conf is installed. lvsd status says what happened.'
          : 'lvsd sets it when it starts.',
        { commands: [`sysctl -w ${name}=${wanted.includes(' ') ? `"${wanted}"` : wanted}`] },
      )
    })
  },
}
