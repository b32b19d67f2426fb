/** IPVS itself, and the modules that the configuration needs: schedulers and the persistence engine. */
import { SCHEDULERS } from '../../core/schedulers.js'
import type { Facts } from '../facts.js'
import { error, type Hazard, type Judgement, note, notKnown, ok } from '../finding.js'
import { namesOf, servicesOf } from '../uses.js'

const ipvs: Hazard = {
  id: 'ipvs-module',
  judge({ machine }) {
    const { hasIpvs, modules, kernel } = machine
    if (hasIpvs) return [ok('IPVS is in the kernel')]
    if (modules.present?.has('ip_vs')) return [ok('IPVS is in the kernel')]
    const isThere = modules.installed?.has('ip_vs') ?? null
    if (hasIpvs === null || isThere === null)
      return [
        notKnown(
          'whether this kernel has IPVS is not known',
          `IPVS is not loaded, and the folder of the modules of kernel ${kernel} cannot be read.`,
        ),
      ]
    if (isThere)
      return [
        note(
          'IPVS is not loaded',
          'The kernel loads ip_vs when lvsd first asks for the table. Until then the sysctls net.ipv4.vs.* do not exist, so settings of /etc/sysctl.d for them have no effect at boot, and doctor cannot judge them.',
          { commands: ['modprobe ip_vs'] },
        ),
      ]
    return [
      error(
        'this kernel has no IPVS',
        `There is no module ip_vs for kernel ${kernel}. lvsd cannot work without it. Kernels for containers and clouds leave it out; the standard kernel of a distribution has it. After an upgrade of the kernel package, the modules of the running kernel may be gone until a reboot.`,
      ),
    ]
  },
}

const OF_LINUX: ReadonlySet<string> = new Set(SCHEDULERS.map(name => `ip_vs_${name}`))

interface Need {
  readonly module: string
  readonly what: string
  readonly services: readonly string[]
}

/** Returns the modules that the services need, each with what it is. */
function needsOf(facts: Facts): readonly Need[] {
  const services = servicesOf(facts)
  const schedulers = [...new Set(services.map(({ attributes }) => attributes.scheduler))]
  const engines = [...new Set(services.flatMap(({ attributes }) => attributes.persistence?.engine ?? []))]
  return [
    ...schedulers.map(name => ({
      module: `ip_vs_${name}`,
      what: `scheduler ${name}`,
      services: namesOf(services.filter(({ attributes }) => attributes.scheduler === name)),
    })),
    ...engines.map(name => ({
      module: `ip_vs_pe_${name}`,
      what: `persistence engine ${name}`,
      services: namesOf(services.filter(({ attributes }) => attributes.persistence?.engine === name)),
    })),
  ]
}

const schedulers: Hazard = {
  id: 'scheduler-module',
  judge(facts) {
    return needsOf(facts).map(need => judgeModule(need, facts))
  },
}

function judgeModule({ module, what, services }: Need, { machine }: Facts): Judgement {
  const { present, installed } = machine.modules
  if (present?.has(module)) return ok(`${what} is in the kernel`)
  if (installed?.has(module)) return ok(`${what} is installed; the kernel loads it when a service uses it`)
  if (present === null || installed === null)
    return notKnown(
      `whether this kernel has the ${what} is not known`,
      `The list of modules cannot be read, so doctor does not see whether ${module} is there.`,
    )
  const isOfLinux = module === 'ip_vs_pe_sip' || OF_LINUX.has(module)
  return error(
    `this kernel has no ${what}`,
    `There is no module ${module}. The kernel refuses the services that use it, so they are not in the table.${isOfLinux ? ' Take another one, or a kernel that has it.' : ' It is not a part of Linux: is its name right, and its package installed?'}`,
    { services },
  )
}

export const modules: readonly Hazard[] = [ipvs, schedulers]
