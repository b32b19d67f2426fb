/** Paths of routes: what is near a path that has no route, and which methods a path has. Pure. */
import { closestMatch } from '../util/closest-match.js'
import { Refusal } from './problem-document.js'

interface Known {
  readonly method: string
  readonly path: string
}

/** Returns why no route answers: the path is unknown, or it does not have this method. */
export function nowhere(method: string, url: string, routes: readonly Known[]): Refusal {
  const [path = ''] = url.split('?', 1)
  const methods = routes.filter(route => isAt(path, route.path)).map(route => route.method)
  if (methods.length === 0) return unknownPath(path, routes)
  const allow = [...new Set(methods.flatMap(each => (each === 'GET' ? ['GET', 'HEAD'] : [each])))].join(', ')
  return new Refusal('method-not-allowed', `${path} has ${allow}, not ${method}`, { headers: { allow } })
}

const LONGEST_SHOWN = 200

function unknownPath(path: string, routes: readonly Known[]): Refusal {
  const near = closestMatch(
    path,
    routes.map(route => filled(route.path, path)),
  )
  const hint = near === null ? '; /v1/openapi.json has all paths' : `; did you mean ${near}?`
  return new Refusal('not-found', `there is no path ${path.slice(0, LONGEST_SHOWN)}${hint}`)
}

/** True if the path has the form of the template `/v1/services/{service}`. */
function isAt(path: string, template: string): boolean {
  const parts = path.split('/')
  const known = template.split('/')
  return known.length === parts.length && known.every((part, i) => part === parts[i] || isParam(part))
}

/** The template with the parts of the path in place of its parameters. */
function filled(template: string, path: string): string {
  const parts = path.split('/')
  return template
    .split('/')
    .map((part, i) => (isParam(part) ? (parts[i] ?? part) : part))
    .join('/')
}

function isParam(part: string): boolean {
  return part.startsWith('{')
}
