/** All hazards, in the order in which findings of one severity are shown. To add one: a file in `hazards/`, and a row here. */
import type { Hazard } from './finding.js'
import { addressConflict } from './hazards/address-conflict.js'
import { arp } from './hazards/arp.js'
import { clock } from './hazards/clock.js'
import { configuration } from './hazards/configuration.js'
import { conntrackTable } from './hazards/conntrack-table.js'
import { daemon } from './hazards/daemon.js'
import { declaredSysctls } from './hazards/declared-sysctls.js'
import { descriptors } from './hazards/descriptors.js'
import { folders } from './hazards/folders.js'
import { forwarding } from './hazards/forwarding.js'
import { ipvsSysctls } from './hazards/ipvs-sysctls.js'
import { leftServices } from './hazards/left-services.js'
import { modules } from './hazards/modules.js'
import { ping } from './hazards/ping.js'
import { programs } from './hazards/programs.js'
import { realDirector } from './hazards/real-director.js'
import { redis } from './hazards/redis.js'
import { routerAdvertisements } from './hazards/router-advertisements.js'
import { rpFilter } from './hazards/rp-filter.js'
import { servicePath } from './hazards/service-path.js'
import { source } from './hazards/source.js'
import { tunnels } from './hazards/tunnels.js'
import { versions } from './hazards/versions.js'
import { virtualAddress } from './hazards/virtual-address.js'

const FIRST: readonly Hazard[] = [configuration, daemon]

/** Hazards of the kernel's table, and of the packets that it forwards: of no meaning where lvsd has its table in memory. */
const OF_TABLE: readonly Hazard[] = [...modules, virtualAddress]
const OF_PACKETS: readonly Hazard[] = [
  servicePath,
  leftServices,
  forwarding,
  arp,
  addressConflict,
  realDirector,
  rpFilter,
  ...ipvsSysctls,
  conntrackTable,
  tunnels,
  routerAdvertisements,
  programs,
]

const LAST: readonly Hazard[] = [redis, ping, descriptors, declaredSysctls, folders, clock, ...versions]

export const HAZARDS: readonly Hazard[] = [...FIRST, ...OF_TABLE, source, ...OF_PACKETS, ...LAST]

/** Those of a machine whose lvsd has its table in memory. */
export const HAZARDS_IN_MEMORY: readonly Hazard[] = [...FIRST, source, ...LAST]
