import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

/** What a new process has loaded of koffi after a call of the C library. `first` runs before. */
function loadedAfterCall(first = ''): readonly string[] {
  const program = `
    import Module from 'node:module'
    ${first}
    const { calls, closeDescriptor } = await import('./src/system/numeric-calls.ts')
    if (closeDescriptor(calls().eventfd(0, 0)) !== 0) throw new Error('no descriptor')
    const loaded = Object.keys(Module._cache).filter(file => file.includes('koffi'))
    console.log(JSON.stringify(loaded.map(file => file.slice(file.lastIndexOf('node_modules/') + 13))))`
  const args = ['--import', 'tsx', '--input-type=module', '-e', program]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describe('koffi', () => {
  it('is loaded by the package of its binary', () => {
    const loaded = loadedAfterCall()
    assert.ok(
      loaded.some(file => file.endsWith('/koffi.node')),
      `${loaded}`,
    )
    assert.ok(!loaded.some(file => file.startsWith('koffi/')), `${loaded}`)
  })

  it('finds its binary itself where that package does not resolve', () => {
    const loaded = loadedAfterCall(`
      const resolve = Module._resolveFilename
      Module._resolveFilename = (name, ...others) => {
        if (name.startsWith('@koromix/')) throw new Error('not here')
        return resolve(name, ...others)
      }`)
    assert.ok(
      loaded.some(file => file.startsWith('koffi/')),
      `${loaded}`,
    )
  })
})
