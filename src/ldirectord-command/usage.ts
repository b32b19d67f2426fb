/** Usage, help and version texts of the command, and the format of its problems. */
import type { Problem } from '../config/problems/problem.js'
import { version } from '../system/version.js'

/** The version of ldirectord whose command line is implemented. */
export const LDIRECTORD = 'Linux Director v1.186-ha'

export const USAGE = `Usage:
    ldirectord [-d|--debug] [--] [configfile] start | stop | restart |
    try-restart | reload | force-reload | status

    ldirectord [-h|-?|--help|-v|--version]
`

export const HELP = `${USAGE}
This is lvsd under the command line of ldirectord.

Configuration:
    configfile    /etc/ha.d/configfile, else /etc/ha.d/conf/configfile, else
                  the file as named. Without it: ldirectord.cf.

Commands:
    start         Starts the daemon; ends when it runs.
    stop          Stops the daemon and waits for its end.
    restart       Stops it if it runs, and starts it. With a mistake in the
                  file nothing is stopped.
    try-restart   The same, where it runs.
    reload        Lets it read the file again, and waits for the outcome. With
    force-reload  a mistake in the file nothing changes.
    status        Does it run? Never reads the file, but for -d: then a file
                  with a mistake ends it with 2.

Options:
    -d, --debug   start: stay in the foreground, messages on standard error.
    -h, --help    This text.
    -v, --version The version.

Exit codes:
    0  done; status: it runs        2  a mistake in the file, told on stderr
    1  not possible; status: it     3  status: it does not run
       has died, its pid file is    255  the command line is wrong
       left

Files:
    /var/run/ldirectord.NAME.pid    NAME: the base name of configfile, or
                                    ldirectord where none is named
    /var/log/ldirectord.log         unless logfile names another
    /run/ldirectord/*.sock          for lvsd status --socket
    /var/lib/ldirectord/            what is remembered between two runs
`

export function versionText(): string {
  return `${LDIRECTORD}
lvsd ${version()}, the successor of ldirectord, under its command line

This program comes with ABSOLUTELY NO WARRANTY; its licence stands in the file LICENSE.
`
}

/**
 * Formats problems as ldirectord does. Omits notes, which are only logged, and COMMAND_ONLY, which applies only to
 * `lvsd run`.
 */
export function problemLines(problems: readonly Problem[]): string[] {
  return problems
    .filter(({ severity, code }) => severity !== 'note' && code !== 'COMMAND_ONLY')
    .map(
      ({ severity, file, at, message }) =>
        `${severity === 'error' ? 'Error' : 'Warning'} [${process.pid}] reading file ${file} at line ${at.line}: ${message}`,
    )
}
