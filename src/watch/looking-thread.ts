/** The thread that looks at files: a file server that hangs holds up this thread alone. */
import { parentPort } from 'node:worker_threads'
import { Looker, type Places } from './looker.js'

const looker = new Looker()

parentPort?.on('message', ({ places, digest }: { places: Places; digest: string | null }) =>
  parentPort?.postMessage(looker.look(places, digest)),
)
