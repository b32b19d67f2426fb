/** The API without a listener: requests go to it directly. */
import { type App, type AppParts, type Listener, openApp } from '../../src/api/app.js'
import type { Control } from '../../src/api/control.js'
import type { ProblemDocument } from '../../src/api/problem-types.js'
import type { Caller } from '../../src/api/route.js'
import { ROUTES } from '../../src/api/routes/all.js'
import { onCleanup } from './after-each.js'
import { controlOf } from './control.js'

export interface TestApp {
  readonly app: App
  ask(
    method: string,
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly text: string
    /** The answer as JSON. */
    readonly value: ProblemDocument & Readonly<Record<string, unknown>>
  }>
}

/** `role`: what the caller may do. A body that is no text is sent as JSON. */
export async function testApp(
  part: Partial<Control> = {},
  { role = 'operate' as Caller['role'], ...parts }: Partial<AppParts> & { role?: Caller['role'] } = {},
): Promise<TestApp> {
  const otherwise: Listener = {
    authenticate: () => ({ role, who: () => 'anna' }),
    answering: (_, work) => work(),
    sending: () => {},
  }
  const app = await openApp({
    routes: ROUTES,
    control: controlOf(part),
    log: { error: () => {} },
    otherwise,
    ...parts,
  })
  onCleanup(() => app.close())
  return {
    app,
    async ask(method, url, body, headers = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const type = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
      const answer = await app.inject({
        method: method as 'GET',
        url,
        headers: { ...type, ...headers },
        ...(body !== undefined && { payload: text }),
      })
      const isJson = /json/.test(String(answer.headers['content-type'])) && answer.text !== ''
      return { ...answer, value: isJson ? JSON.parse(answer.text) : {} }
    },
  }
}
