/** All benchmarks, in the order in which they run. */
import { benchmark as apply } from './apply.js'
import type { Benchmark } from './benchmark.js'
import { benchmark as checks } from './checks.js'
import { benchmark as commands } from './commands.js'
import { benchmark as detect } from './detect.js'
import { benchmark as drift } from './drift.js'
import { benchmark as external } from './external-checks.js'
import { benchmark as faults } from './faults.js'
import { benchmark as https } from './https-checks.js'
import { benchmark as listeners } from './listeners.js'
import { benchmark as memory } from './memory.js'
import { benchmark as metrics } from './metrics.js'
import { benchmark as page } from './page.js'
import { benchmark as redis } from './redis.js'
import { benchmark as reload } from './reload.js'
import { benchmark as reloadInMemory } from './reload-in-memory.js'
import { benchmark as sentinels } from './sentinels.js'
import { benchmark as start } from './start.js'
import { benchmark as startInMemory } from './start-in-memory.js'
import { benchmark as turns } from './turns.js'
import { benchmark as watching } from './watching.js'

export const ALL: readonly Benchmark[] = [
  apply,
  checks,
  https,
  external,
  commands,
  detect,
  drift,
  faults,
  redis,
  reload,
  sentinels,
  reloadInMemory,
  start,
  startInMemory,
  turns,
  watching,
  memory,
  metrics,
  listeners,
  page,
]
