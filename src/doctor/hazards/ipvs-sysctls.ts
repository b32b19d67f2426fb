/**
 * The sysctls of IPVS, net.ipv4.vs.*, each with the value that harms the configuration. They apply to IPv6, too. The
 * daemon also warns about the two that keep clients with a failed server: events/sysctl-advice.ts.
 */
import { adviceFor, type ConnectionSettings, HARMS } from '../../events/sysctl-advice.js'
import type { Facts } from '../facts.js'
import { type Hazard, type Judgement, note, ok, warning } from '../finding.js'
import { judged, sysctl } from '../sysctl-value.js'
import { isAtLeast, namesOf, servicesOf, withForwarding } from '../uses.js'

const VS = 'net.ipv4.vs'

type Judge = (value: number, facts: Facts, name: string) => Judgement | null

function row(key: string, judge: Judge): Hazard {
  const name = `${VS}.${key}`
  return {
    id: key.replaceAll('_', '-'),
    judge: facts => judged(facts, name, value => judge(value, facts, name)),
  }
}

// ---------------------------------------------------------------- clients of a failed server

const BOTH_OFF: ConnectionSettings = { expireQuiescentTemplate: false, expireNodestConn: false }

function concerned(key: keyof ConnectionSettings, { site }: Facts): readonly string[] {
  return (site?.config && adviceFor(site.config, BOTH_OFF).find(advice => advice.key === key)?.services) ?? []
}

function kept(key: keyof ConnectionSettings, text: string, more: (facts: Facts) => Judgement | null): Judge {
  const { harm, sysctl: name } = HARMS[key]
  return (value, facts) => {
    if (value !== 0) return ok(`${name} is ${value}`)
    const services = concerned(key, facts)
    if (facts.site?.config && services.length === 0) return more(facts)
    const tell = facts.site?.config ? warning : note
    return tell(harm, text, { services, commands: [`sysctl -w ${name}=1`] })
  }
}

const expireQuiescentTemplate = row(
  'expire_quiescent_template',
  kept(
    'expireQuiescentTemplate',
    'Persistence binds a client to its server. While expire_quiescent_template is 0, the binding outlives the failure: the kernel sends new connections of that client to the failed server until the persistence ends, and each try makes it last longer.',
    facts => {
      const bound = servicesOf(facts).filter(({ attributes }) => attributes.persistence !== null)
      if (bound.length === 0) return ok(`${VS}.expire_quiescent_template is 0, and no service needs it`)
      return note(
        'persistent clients stay with a server that is drained',
        'The services remove a failed server, so its clients leave it. But a server of weight 0 that is drained by hand keeps its persistent clients, new connections included, until their persistence ends. That may be wanted.',
        { services: namesOf(bound), commands: [`sysctl -w ${VS}.expire_quiescent_template=1`] },
      )
    },
  ),
)

const expireNodestConn = row(
  'expire_nodest_conn',
  kept(
    'expireNodestConn',
    'These services remove a failed server from the table. While expire_nodest_conn is 0, the kernel drops the packets of its connections without a word: TCP clients wait 15 minutes, and a UDP client that goes on sending never gets another server.',
    () => ok(`${VS}.expire_nodest_conn is 0, and no service needs it`),
  ),
)

// ---------------------------------------------------------------- connections from a port that is still known

const reuse = row('conn_reuse_mode', (value, facts, name) => {
  const isNew = isAtLeast(facts.machine.kernel, 5, 9)
  if (value === 0 && isNew !== false)
    return warning(
      'new connections from a known port still go to servers of weight 0',
      'A busy client, or a proxy in front, soon uses the same source port again. While conn_reuse_mode is 0, such a new connection goes to the server of the old one, even if that server was drained or has failed. Kernels before 5.9 delayed these connections with another value, so old guides advise 0.',
      { commands: [`sysctl -w ${name}=1`] },
    )
  if (value !== 0 && isNew === false && sysctl(facts, `${VS}.conntrack`) === '1')
    return warning(
      'some new connections wait for one second',
      `Kernel ${facts.machine.kernel} is older than 5.9. With conntrack=1 and conn_reuse_mode=${value} it drops the first packet of a connection from a port that is still known, and the client repeats it after a second. With 0 there is no delay, but such connections go to servers of weight 0. A newer kernel has neither fault.`,
      { commands: [`sysctl -w ${name}=0`] },
    )
  return ok(`${name} is ${value}`)
})

// ---------------------------------------------------------------- connection tracking and NAT

const conntrack = row('conntrack', (value, facts, name) => {
  const services = namesOf(withForwarding(facts, 'masq'))
  if (value !== 0 || services.length === 0) return ok(`${name} is ${value}`)
  if (facts.machine.modules.present?.has('nf_conntrack') === false)
    return ok(`${name} is 0, and nothing here tracks connections`)
  return note(
    'firewall rules do not see the connections that IPVS forwards by masq',
    'IPVS does its own NAT and needs no conntrack for it. But nf_conntrack is in the kernel, and while conntrack is 0, rules on the state of a connection and rules that masquerade or rewrite the source (SNAT) do not match what IPVS forwards. Set it to 1 only if such rules are to count for balanced traffic: each connection then takes an entry of the conntrack table.',
    { services, commands: [`sysctl -w ${name}=1`] },
  )
})

// ---------------------------------------------------------------- take-over

const sloppyTcp = row('sloppy_tcp', (value, facts, name) => {
  const hashing = servicesOf(facts).filter(
    ({ attributes, virtual }) =>
      ['sh', 'mh'].includes(attributes.scheduler) &&
      (virtual.kind === 'fwmark' || virtual.protocol === 'tcp'),
  )
  const others = withForwarding(facts, 'masq')
  if (value === 0 && hashing.length > 0)
    return note(
      'after a take-over by another director TCP connections end',
      'These services choose a server by a hash of the client, so each director makes the same choice. While sloppy_tcp is 0, a director that takes over does not take packets from the middle of a TCP connection, so this gain is lost. Set it to 1 where two directors have the same services and no connection synchronisation.',
      { services: namesOf(hashing), commands: [`sysctl -w ${name}=1`] },
    )
  if (value !== 0 && others.length > 0 && hashing.length === 0)
    return note(
      'IPVS takes packets from the middle of TCP connections that it does not know',
      'With sloppy_tcp=1 a stray packet makes a new entry and goes to any server, which answers with a reset. This helps only with the schedulers sh and mh, which no service uses.',
      { services: namesOf(others), commands: [`sysctl -w ${name}=0`] },
    )
  return ok(`${name} is ${value}`)
})

const scheduleIcmp = row('schedule_icmp', (value, facts, name) => {
  if (value === 0 || !facts.site?.config) return ok(`${name} is ${value}`)
  const services = servicesOf(facts).filter(({ virtual }) => virtual.kind === 'fwmark' || virtual.port === 0)
  if (services.length === 0) return ok(`${name} is ${value}`)
  return note(
    'a ping to a virtual address is answered by a real server',
    'With schedule_icmp=1, ICMP packets of services by firewall mark or for all ports are balanced too. A monitor that pings a virtual address then tests a real server, not this director. Several directors in parallel (ECMP) need it, so that reports on packet sizes find their server.',
    { services: namesOf(services), commands: [`sysctl -w ${name}=0`] },
  )
})

// ---------------------------------------------------------------- defences, and estimates

/** Defence strategies: 0 off, 1 and 2 automatic, 3 always on. */
function defence(key: string, what: string): Hazard {
  return row(key, (value, _facts, name) =>
    value < 3
      ? ok(`${name} is ${value}`)
      : warning(
          `${name} is ${value}: IPVS ${what}, all the time`,
          'It is a defence against floods, and 3 means that it is on whether there is a flood or not. Connections of well-behaved clients suffer. 1 turns it on by itself when memory is short.',
          { commands: [`sysctl -w ${name}=1`] },
        ),
  )
}

const estimation = row('run_estimation', (value, _facts, name) =>
  value !== 0
    ? ok(`${name} is ${value}`)
    : note(
        'the kernel counts no rates',
        'With run_estimation=0 IPVS does not compute connections and bytes per second. What lvsd shows of rates is 0.',
        { commands: [`sysctl -w ${name}=1`] },
      ),
)

const pathMtu = row('pmtu_disc', (value, facts, name) => {
  const services = namesOf(withForwarding(facts, 'ipip', 'gue', 'gre'))
  if (value !== 0 || services.length === 0) return ok(`${name} is ${value}`)
  return note(
    'packets that are too long for a tunnel are cut into fragments',
    'With pmtu_disc=0 the director does not tell clients that a packet is too long for the tunnel. It sends fragments instead, which cost time and are dropped by some firewalls.',
    { services, commands: [`sysctl -w ${name}=1`] },
  )
})

export const ipvsSysctls: readonly Hazard[] = [
  expireQuiescentTemplate,
  expireNodestConn,
  reuse,
  conntrack,
  sloppyTcp,
  scheduleIcmp,
  defence('drop_entry', 'drops entries of connections at random'),
  defence('drop_packet', 'drops packets at random'),
  defence('secure_tcp', 'uses short timeouts'),
  estimation,
  pathMtu,
]
