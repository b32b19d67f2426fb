/** Shared by the commands that send a request to a running lvsd. */
import { ControlError, DEFAULT_SOCKET } from '../api/client.js'
import { CommandError, EXIT } from './command.js'

export const socketOption = {
  socket: { value: 'PATH', about: `control socket of lvsd; default: $LVSD_SOCKET, or ${DEFAULT_SOCKET}` },
} as const

/** Returns the path of the control socket: the option, the environment, or the default. */
export function socketPath(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return option ?? (env.LVSD_SOCKET || DEFAULT_SOCKET)
}

/**
 * Awaits a request to the daemon. Throws a CommandError with the matching exit code if the daemon cannot be reached or refuses.
 */
export async function askDaemon<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const answered = error.isRefused ? EXIT.problem : EXIT.unreachable
    throw new CommandError(error.message, error.isDenied ? EXIT.kernel : answered, { cause: error })
  }
}
