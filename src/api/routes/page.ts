/** The page for browsers. Its files hold no data: those come from the API, with a token. */
import { z } from '../../check/option-types.js'
import { PAGE_FILES, PAGE_HEADERS, type PageFileName, pageFile } from '../page.js'
import { Refusal } from '../problem-document.js'
import { Answer, type Request, type Route } from '../route.js'

export const pageRoutes = [
  fileRoute('/', 'index.html'),
  ...PAGE_FILES.filter(name => name !== 'index.html').map(name => fileRoute(`/${name}`, name)),
]

function fileRoute(path: string, name: PageFileName): Route<object> {
  return {
    method: 'GET',
    path,
    role: 'open',
    summary: `The page for browsers: ${name}.`,
    isPage: true,
    response: z.unknown(),
    problems: ['not-found'],
    handler: (_control, request) => answerOf(name, request),
  }
}

function answerOf(name: PageFileName, { headers }: Request): Answer {
  const file = pageFile(name)
  if (!file) throw new Refusal('not-found', 'the page has not been built: npm run build')
  const isZipped = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))
  return new Answer(isZipped ? file.zipped : file.body, {
    type: file.type,
    headers: {
      ...PAGE_HEADERS,
      vary: 'accept-encoding',
      ...(isZipped && { 'content-encoding': 'gzip' }),
    },
  })
}
