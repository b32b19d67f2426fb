/** The thread that reads the files: a file server that hangs blocks only this thread. */
import { parentPort } from 'node:worker_threads'
import { Looker, type Places } from './looker.js'

const looker = new Looker()

parentPort?.on('message', ({ places, digest }: { places: Places; digest: string | null }) =>
  parentPort?.postMessage(looker.look(places, digest)),
)
