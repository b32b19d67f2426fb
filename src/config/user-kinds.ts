/** Reports problems of kinds in users' folders as problems of the configuration that names the folders. */
import { resolve } from 'node:path'
import type { LoadedChecks } from '../kinds/find-kinds.js'
import { kindNameOf } from '../kinds/folder.js'
import type { Question } from '../kinds/judge-apart.js'
import type { Code } from './problems/codes.js'
import { START } from './problems/position.js'
import type { Position, Problem } from './problems/problem.js'
import { newReport } from './problems/report.js'
import type { RawDocument } from './raw.js'
import type { PlaceOf } from './validate/context.js'
import { checkFoldersOf, type Validated } from './validate/validate.js'

/**
 * Returns the problems of the folders. An unusable folder is an error. An unusable file is an error if the
 * configuration uses its kind or an unknown kind: a server could be judged without this kind, or by another kind of the
 * same name. Otherwise nothing uses the file, and it is a warning.
 */
export function folderProblems(
  file: string,
  document: RawDocument,
  { unusable, files, replaced }: LoadedChecks,
  { kinds, problems }: Pick<Validated, 'kinds' | 'problems'>,
): readonly Problem[] {
  const isWanting = problems.some(({ code }) => code === 'UNKNOWN_CHECK')
  const say = (severity: Problem['severity'], code: Code, message: string): Problem => {
    const at = placeOf(message, document, file)
    return { severity, code, message, file: at.file ?? file, at }
  }
  return [
    ...unusable.map(({ problem }) => say('error', 'CHECK_FOLDER', problem)),
    ...files.flatMap(({ path, problem, remark }) => {
      if (problem === null) return remark === null ? [] : say('warning', 'CHECK_FOLDER', `${path}: ${remark}`)
      const isUsed = isWanting || kinds.has(kindNameOf(path))
      return say(isUsed ? 'error' : 'warning', 'CHECK_FOLDER', `${path}: ${problem}`)
    }),
    ...replaced.map(message => say('warning', 'CHECK_REPLACED', message)),
  ]
}

/** Returns the position in `settings: checks:` of the folder that the message names. */
function placeOf(message: string, document: RawDocument, file: string): Position {
  const settings = document.root?.entries.find(({ key }) => key === 'settings')?.value
  const list =
    settings?.kind === 'map' ? settings.entries.find(({ key }) => key === 'checks')?.value : undefined
  const index = checkFoldersOf(document, file).findIndex(folder => message.includes(resolve(folder)))
  return (list?.kind === 'list' && list.items[index]?.at) || list?.at || START
}

/** Returns the problems that users' files report for the given options, at the positions of the options. */
export async function judgedProblems(
  file: string,
  questions: readonly Question<PlaceOf>[],
): Promise<readonly Problem[]> {
  if (questions.length === 0) return []
  const { judgeApart } = await import('../kinds/judge-apart.js')
  const report = newReport(file)
  for (const { check, at, wrong, missing } of await judgeApart(questions)) {
    if (wrong !== null) report.error('CHECK_OPTIONS', at(wrong.path), `${check.name}: ${wrong.message}`)
    else if (missing !== null) report.warn('CHECK_UNAVAILABLE', at([]), `${check.name}: ${missing}`)
  }
  return report.problems()
}
