/** The configuration's own problems. */
import { counted } from '../../util/plural.js'
import { error, type Hazard, notKnown, ok, warning } from '../finding.js'

export const configuration: Hazard = {
  id: 'configuration',
  judge({ site, machine }) {
    if (site === null) return []
    const { file, errors, warnings, isReadable } = site
    const commands = [`lvsd validate ${file}`]
    if (!isReadable)
      return [notKnown(`${file} cannot be read`, 'The hazards that depend on it are not judged.')]
    const asRoot = machine.isRoot
      ? ''
      : ' As root it may be valid: this user may not read every file that it names.'
    if (errors > 0)
      return [
        error(
          `${file} cannot run: ${counted(errors, 'error')}`,
          `A start or a reload refuses this file. A running lvsd goes on with the configuration that it has. The hazards that depend on the configuration are not judged.${asRoot}`,
          { commands },
        ),
      ]
    if (warnings > 0)
      return [
        warning(
          `${file} has ${counted(warnings, 'warning')}`,
          'The file can run, but something in it is probably not what was meant.',
          { commands },
        ),
      ]
    return [ok(`${file} is valid`)]
  },
}
