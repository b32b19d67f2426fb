/** The keys of the page. */
import { useEffect, useRef } from 'preact/hooks'

const KEYS = [
  ['1 2 3 4', 'overview, events, plan, director'],
  ['↓ ↑ or j k', 'next, previous service or real server'],
  ['Enter', 'open it'],
  ['Esc', 'back'],
  ['/', 'filter'],
  ['d', 'drain, after a question'],
  ['e', 'enable: end overrides, after a question'],
  ['r', 'run the checks now'],
  ['?', 'this help'],
] as const

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <dl class="facts">
        {KEYS.map(([key, effect]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{effect}</dd>
          </>
        ))}
      </dl>
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  )
}
