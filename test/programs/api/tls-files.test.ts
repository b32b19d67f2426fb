/** Files of `api.tls` that are none: nothing waits for another process. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { readTls } from '../../../src/api/tls-files.js'
import { temporaryFolder } from '../../support/folder.js'
import { THINGS } from '../../support/things.js'
import { tlsFile } from '../../support/tls-file.js'

describe('the files of api.tls', () => {
  for (const [thing, put] of THINGS)
    it(`are refused at once if one is ${thing}`, async () => {
      const path = join(temporaryFolder(), 'cert')
      put(path)
      await assert.rejects(readTls({ cert: path, key: tlsFile('key.pem'), clientCa: null }), {
        message: new RegExp(`^${path}: .`),
      })
    })
})
