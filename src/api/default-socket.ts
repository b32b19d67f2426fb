/** Path of the control socket if neither the configuration nor the command line sets one. */
export const DEFAULT_SOCKET = '/run/lvsd/lvsd.sock'
