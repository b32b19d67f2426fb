/** The thread that reads the files after a look that hung: a file server that hangs blocks only this thread. */
import { parentPort } from 'node:worker_threads'
import { blocking } from './file-readers.js'
import { Looker, type Places } from './looker.js'

const looker = new Looker(blocking)

parentPort?.on('message', async ({ places, digest }: { places: Places; digest: string | null }) =>
  parentPort?.postMessage(await looker.look(places, digest)),
)
