/** The clock, which certificates, windows and logs depend on. */
import { type Hazard, notKnown, ok, warning } from '../finding.js'

export const clock: Hazard = {
  id: 'clock',
  judge({ machine }) {
    if (machine.isClockSynchronised === null)
      return [
        notKnown(
          'whether the clock is right is not known',
          'The kernel does not report whether a program synchronises it.',
        ),
      ]
    if (machine.isClockSynchronised) return [ok('a program keeps the clock in step')]
    return [
      warning(
        'nothing keeps the clock in step',
        'No program such as chrony or systemd-timesyncd tells the kernel the time. Checks and their intervals do not depend on the clock. But certificates are judged by it, and logs of two directors with different clocks cannot be compared.',
        { commands: ['timedatectl set-ntp true'] },
      ),
    ]
  },
}
