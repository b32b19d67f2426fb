/** All routes of the API. */
import type { AnyRoute } from '../route.js'
import { connectionRoutes } from './connections.js'
import { doctorRoutes } from './doctor.js'
import { eventRoutes } from './events.js'
import { healthRoutes } from './health.js'
import { metricsRoutes } from './metrics.js'
import { openApiRoute } from './openapi.js'
import { overrideRoutes } from './overrides.js'
import { pageRoutes } from './page.js'
import { planRoutes } from './plan.js'
import { recheckRoutes } from './recheck.js'
import { reloadRoutes } from './reload.js'
import { resultRoutes } from './results.js'
import { roleRoutes } from './role.js'
import { serviceRoutes } from './services.js'
import { statusRoutes } from './status.js'
import { tableRoutes } from './table.js'
import { tokenRoutes } from './tokens.js'
import { whyRoutes } from './why.js'
import { windowRoutes } from './windows.js'

export const ROUTES: readonly AnyRoute[] = [
  ...healthRoutes,
  ...statusRoutes,
  ...roleRoutes,
  ...serviceRoutes,
  ...whyRoutes,
  ...resultRoutes,
  ...eventRoutes,
  ...overrideRoutes,
  ...windowRoutes,
  ...recheckRoutes,
  ...connectionRoutes,
  ...planRoutes,
  ...reloadRoutes,
  ...tableRoutes,
  ...doctorRoutes,
  ...tokenRoutes,
  ...pageRoutes,
  ...metricsRoutes,
  openApiRoute(() => ROUTES),
]
