/** The configuration's own problems. */
import { counted } from '../../util/plural.js'
import { error, type Hazard, ok, warning } from '../finding.js'

export const configuration: Hazard = {
  id: 'configuration',
  judge({ site }) {
    if (site === null) return []
    const { file, errors, warnings } = site
    const commands = [`lvsd validate ${file}`]
    if (errors > 0)
      return [
        error(
          `${file} cannot run: ${counted(errors, 'error')}`,
          'A start or a reload refuses this file. A running lvsd goes on with the configuration that it has. The hazards that depend on the configuration are not judged.',
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
