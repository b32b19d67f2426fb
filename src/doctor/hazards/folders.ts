/** The rights of the folders in which lvsd keeps its state and its control socket. */
import type { Folder } from '../facts.js'
import { error, type Hazard, type Judgement, notKnown, ok } from '../finding.js'

const OTHERS_WRITE = 0o002
const STICKY = 0o1000

export const folders: Hazard = {
  id: 'folders',
  judge({ site }) {
    return (site?.folders ?? []).map(judgeFolder)
  },
}

const HOLDS: Readonly<Record<Folder['use'], string>> = {
  state: 'lvsd keeps there which services are its own, and the configuration for the next start',
  socket: 'commands such as lvsd reload go through the socket in it',
}

function judgeFolder({ use, path, found }: Folder): Judgement {
  const what = `the folder of the ${use === 'state' ? 'state' : 'control socket'}, ${path},`
  if (found === null) return notKnown(`${what} cannot be read`, 'Run lvsd doctor as root.')
  if (found === 'absent') return ok(`${what} is made when lvsd starts`)
  if ((found.mode & OTHERS_WRITE) === 0 || found.mode & STICKY)
    return ok(`${what} is not writable for everybody`)
  return error(
    `${what} is writable for everybody`,
    `Any user of this machine can replace what lvsd relies on: ${HOLDS[use]}.`,
    { commands: [`chmod o-w ${path}`] },
  )
}
