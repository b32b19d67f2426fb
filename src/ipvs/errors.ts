/**
 * Explains refusals of the kernel. The kernel returns only an errno, whose meaning depends on the command. Each refusal
 * therefore becomes a sentence that is built from the refused change.
 */
import { isLinkLocal, isMapped } from '../core/address.js'
import { type Change, familyOf, keyOfReal, keyOfService, MAX_WEIGHT, type TableReal } from '../core/model.js'
import { KernelError } from './kernel.js'

/** Further facts that explain a refusal. */
export interface Circumstances {
  /** True while the kernel's connection synchronization daemon runs. */
  readonly isSyncing: boolean
}

/** Explains the refusal of one change and says what to do. */
export function refusalOf(change: Change, code: string, circumstances: Circumstances): KernelError {
  return new KernelError(`cannot ${attempt(change)}: ${reasonFor(change, code, circumstances)}`, code)
}

/**
 * True if the kernel refuses the change because another program has deleted what was to be changed, or has added it. ENOENT
 * of a service is another matter: a module is missing.
 */
export function isDueToOthers(change: Change, code: string): boolean {
  if (code === 'ESRCH') return true
  if (code === 'EEXIST') return change.op === 'add-service' || change.op === 'add-real'
  return code === 'ENOENT' && (change.op === 'set-real' || change.op === 'delete-real')
}

/** Refuses changes that the kernel would interpret differently. Returns null for all others. */
export function refusedHere(change: Change): KernelError | null {
  const { id } = change
  const refuse = (reason: string, code = 'EINVAL') =>
    new KernelError(`cannot ${attempt(change)}: ${reason}`, code)
  if (id.kind === 'fwmark' && !isWithin(id.fwmark, 1, 0xffffffff))
    return refuse('a firewall mark is a number from 1 to 4294967295')
  if (id.kind === 'address' && id.address.zone !== null)
    return refuse(`the kernel’s table has no zones; leave %${id.address.zone} out`)
  if ('service' in change && change.service.persistence) {
    const { timeout, prefix } = change.service.persistence
    if (!isWithin(timeout, 0, 0xffffffff)) return refuse(`${timeout} s is not a valid persistence timeout`)
    const longest = familyOf(id) === 'ipv6' ? 128 : 32
    if (!isWithin(prefix, 0, longest))
      return refuse(`a persistence prefix has at most ${longest} bits, not ${prefix}`)
  }
  if ('real' in change && !isWithin(change.real.weight, 0, MAX_WEIGHT))
    return refuse(outOfRange(change.real), 'ERANGE')
  return null
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

/** Explains a request that failed as a whole, for example a dump. */
export function failureOf(what: string, code: string, cause?: unknown): KernelError {
  return new KernelError(`cannot ${what}: ${general[code] ?? unexpected(code)}`, code, { cause })
}

const general: Readonly<Record<string, string>> = {
  EPERM:
    'not permitted. IPVS requires root or the capability CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN); ' +
    'in a container it must be the capability of the machine itself',
  EACCES: 'not permitted. IPVS requires root or the capability CAP_NET_ADMIN',
  ENOENT:
    'this kernel has no IPVS. Load its module (modprobe ip_vs); in a container, load it on the machine itself',
  ENOBUFS: 'the kernel’s answers were lost, so the table must be read again to see what was done',
  ENOMEM: 'the kernel is out of memory',
  EPROTONOSUPPORT: 'this kernel has no generic netlink, through which IPVS is reached',
}

function unexpected(code: string): string {
  return `the kernel answered ${code}; its log (dmesg) may say why`
}

function attempt(change: Change): string {
  const service = keyOfService(change.id)
  switch (change.op) {
    case 'add-service':
      return `add the service ${service}`
    case 'set-service':
      return `change the service ${service}`
    case 'delete-service':
      return `remove the service ${service}`
    case 'add-real':
      return `add ${keyOfReal(change.real)} to ${service}`
    case 'set-real':
      return `change ${keyOfReal(change.real)} in ${service}`
    case 'delete-real':
      return `remove ${keyOfReal(change.was)} from ${service}`
  }
}

function reasonFor(change: Change, code: string, circumstances: Circumstances): string {
  const found = isOfService(change)
    ? reasonForService(change, code)
    : reasonForReal(change, code, circumstances)
  return found ?? (code === 'ENOENT' ? unexpected(code) : (general[code] ?? unexpected(code)))
}

type ServiceChange = Extract<Change, { op: 'add-service' | 'set-service' | 'delete-service' }>
type RealChange = Exclude<Change, ServiceChange>

function isOfService(change: Change): change is ServiceChange {
  return change.op.endsWith('-service')
}

const readAgain = 'another program changes this table too, so read it again'

function reasonForService(change: ServiceChange, code: string): string | null {
  if (code === 'EEXIST') return `it already exists; ${readAgain}`
  if (code === 'ESRCH') return `it does not exist; ${readAgain}`
  if (code === 'EAFNOSUPPORT') return `the kernel’s IPVS is built without ${familyOf(change.id)}`
  if (change.op === 'delete-service') return null
  if (code === 'ENOENT') return missingModule(change)
  if (code === 'EINVAL') return invalidService(change)
  return null
}

type ServiceWrite = Extract<Change, { op: 'add-service' | 'set-service' }>

function missingModule({ service: { scheduler, persistence } }: ServiceWrite): string {
  const engine = persistence?.engine
  const which = engine
    ? `the scheduler ${scheduler} (module ip_vs_${scheduler}) or the persistence engine ${engine} (module ip_vs_pe_${engine})`
    : `the scheduler ${scheduler} (module ip_vs_${scheduler})`
  return `the kernel does not have ${which}. Load the module, or configure one that the kernel has`
}

function invalidService({ id, service: { scheduler, persistence } }: ServiceWrite): string | null {
  if (scheduler.length > 15) return `no scheduler’s name is as long as ${scheduler}`
  if ((persistence?.engine ?? '').length > 16)
    return `no persistence engine’s name is as long as ${persistence?.engine}`
  if (familyOf(id) === 'ipv6' && persistence?.prefix === 0)
    return 'the prefix length of IPv6 persistence is 1 to 128, not 0'
  return null
}

function reasonForReal(change: RealChange, code: string, { isSyncing }: Circumstances): string | null {
  if (code === 'ESRCH') return `the service does not exist; ${readAgain}`
  if (code === 'EEXIST') return `it already exists; ${readAgain}`
  if (code === 'ENOENT') return `it does not exist; ${readAgain}`
  if (change.op === 'delete-real') return null
  if (code === 'EAFNOSUPPORT') return `the kernel’s IPVS is built without ${change.real.address.family}`
  if (code === 'ERANGE') return outOfRange(change.real)
  if (code === 'EINVAL') return mixedFamilies(change, isSyncing) ?? invalidReal(change.real)
  return null
}

function outOfRange({ weight, upper, lower }: TableReal): string {
  if (lower > upper) return `the lower threshold ${lower} must not be above the upper threshold ${upper}`
  return `a weight is a number from 0 to ${MAX_WEIGHT}, not ${weight}`
}

function mixedFamilies(
  { id, real }: Extract<Change, { op: 'add-real' | 'set-real' }>,
  isSyncing: boolean,
): string | null {
  const families = `an ${real.address.family} real server in an ${familyOf(id)} service`
  if (real.address.family === familyOf(id)) return null
  if (isSyncing)
    return `${families} is refused while the connection synchronization daemon runs, whose protocol cannot carry it (ipvsadm --stop-daemon)`
  if (real.forwarding === 'gate' || real.forwarding === 'masq')
    return `${families} can only be reached through a tunnel (ipip, gue or gre), not by ${real.forwarding}`
  return null
}

function invalidReal({ address, forwarding, tunnelPort }: TableReal): string {
  if (forwarding === 'gue' && tunnelPort === 0) return 'a gue tunnel needs a port'
  if (isLinkLocal(address)) return 'IPVS cannot forward to a link-local address; use one of another scope'
  if (isMapped(address))
    return `write ${address.text.slice('::ffff:'.length)}: IPVS does not accept IPv4-mapped IPv6 addresses`
  return `the kernel accepts only a unicast address that it can reach, not ${address.text}`
}
