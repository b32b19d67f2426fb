/** All routes of the API. */
import type { AnyRoute } from '../route.js'
import { connectionRoutes } from './connections.js'
import { eventRoutes } from './events.js'
import { healthRoutes } from './health.js'
import { metricsRoutes } from './metrics.js'
import { openApiRoute } from './openapi.js'
import { overrideRoutes } from './overrides.js'
import { recheckRoutes } from './recheck.js'
import { reloadRoutes } from './reload.js'
import { statusRoutes } from './status.js'
import { whyRoutes } from './why.js'
import { windowRoutes } from './windows.js'

export const ROUTES: readonly AnyRoute[] = [
  ...healthRoutes,
  ...statusRoutes,
  ...whyRoutes,
  ...eventRoutes,
  ...overrideRoutes,
  ...windowRoutes,
  ...recheckRoutes,
  ...connectionRoutes,
  ...reloadRoutes,
  ...metricsRoutes,
  openApiRoute(() => ROUTES),
]
