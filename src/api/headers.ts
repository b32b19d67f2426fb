/** Headers of requests over the control socket. */

/** Root says in it on whose behalf it asks. */
export const SUDO_USER = 'x-sudo-user'
