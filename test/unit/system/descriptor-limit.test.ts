import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

describe('descriptor-limit', () => {
  it('is the number of descriptors that this process may have', () => {
    const source = new URL('../../../src/system/descriptor-limit.ts', import.meta.url)
    const code = `import { descriptorLimit } from '${source}'; process.stdout.write(String(descriptorLimit()))`
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', code]
    for (const limit of [200, 345]) {
      const shell = ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', process.execPath, ...argv]
      assert.equal(execFileSync('/bin/sh', shell, { encoding: 'utf8' }), `${limit}`)
    }
  })
})
