/** Keys of the page. They do not act while one types in a field, or together with Ctrl, Alt or Meta. */
import { useEffect, useRef } from 'preact/hooks'

export type KeyHandlers = Readonly<Record<string, (event: KeyboardEvent) => void>>

export function useKeys(handlers: KeyHandlers): void {
  // Those of the last drawing: a key that follows at once must not act on the row before.
  const current = useRef(handlers)
  current.current = handlers
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return
      if (event.key === 'Enter' && isActive(event.target)) return
      if (isField(event.target) || document.querySelector('dialog[open]')) return
      const handler = current.current[event.key]
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Enter on it does what it is for. */
function isActive(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('a, button')
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, textarea, select, [contenteditable]')
}
