import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** The path of a key or certificate of `test/fixtures/tls`. */
export function tlsFile(name: string): string {
  return join(packageRoot, 'test/fixtures/tls', name)
}
