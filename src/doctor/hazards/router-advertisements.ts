/** A director that forwards IPv6 ignores router advertisements, from which its own route may come. */
import { type Hazard, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'

export const routerAdvertisements: Hazard = {
  id: 'router-advertisements',
  judge(facts) {
    const links = [
      ...new Set((facts.machine.addresses ?? []).flatMap(({ link, isDynamic }) => (isDynamic ? link : []))),
    ]
    return links.flatMap(link => {
      const conf = `net.ipv6.conf.${link.replaceAll('.', '/')}`
      if (sysctl(facts, `${conf}.forwarding`) !== '1' || sysctl(facts, `${conf}.accept_ra`) !== '1') return []
      return [
        warning(
          `${link} has an IPv6 address that will expire, and takes no router advertisements`,
          `A machine that forwards IPv6 ignores router advertisements unless accept_ra is 2. The address of ${link} has an end. If it and the default route come from advertisements, both are gone some time after forwarding was turned on.`,
          { commands: [`sysctl -w ${conf}.accept_ra=2`] },
        ),
      ]
    })
  },
}
