/** What the commands share that ask a running lvsd. */
import { ControlError, DEFAULT_SOCKET } from '../api/client.js'
import { CommandError, EXIT } from './command.js'

export const socketOption = {
  socket: { value: 'PATH', about: `control socket of lvsd; default: $LVSD_SOCKET, or ${DEFAULT_SOCKET}` },
} as const

/** The socket that is meant: the option, the environment, or the default. */
export function socketPath(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return option ?? (env.LVSD_SOCKET || DEFAULT_SOCKET)
}

/** Runs what asks the daemon; that it cannot be asked ends the command with the right exit code. */
export async function askDaemon<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    throw new CommandError(error.message, error.isDenied ? EXIT.kernel : EXIT.unreachable, { cause: error })
  }
}
