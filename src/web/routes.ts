/** The address of each view, behind the `#`, so that a view can be linked and the back key works. */

export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'service'; readonly service: string }
  | { readonly view: 'real'; readonly service: string; readonly real: string }
  | { readonly view: 'events'; readonly service: string; readonly real: string; readonly level: string }
  | { readonly view: 'plan' }
  | { readonly view: 'director' }

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [view, ...names] = path.split('/').map(decoded)
  const [service = '', real = ''] = names
  const asked = new URLSearchParams(query)
  switch (view) {
    case 'service':
      return { view, service }
    case 'real':
      return { view, service, real }
    case 'events':
      return {
        view,
        service: asked.get('service') ?? '',
        real: asked.get('real') ?? '',
        level: asked.get('level') ?? '',
      }
    case 'plan':
    case 'director':
      return { view }
    default:
      return { view: 'overview' }
  }
}

/** The token of an address as `lvsd demo` prints it, `#token=TOKEN`, or null. A browser does not send it to the server. */
export function tokenOf(hash: string): string | null {
  return /^#token=([\w-]+)$/.exec(hash)?.[1] ?? null
}

export function hashOf(route: Route): string {
  switch (route.view) {
    case 'overview':
      return '#/'
    case 'service':
      return `#/service/${encodeURIComponent(route.service)}`
    case 'real':
      return `#/real/${encodeURIComponent(route.service)}/${encodeURIComponent(route.real)}`
    case 'events': {
      const { view, ...asked } = route
      const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ''))
      return query.size === 0 ? `#/${view}` : `#/${view}?${query}`
    }
    default:
      return `#/${route.view}`
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
