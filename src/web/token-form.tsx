/** Asks for a token. */
import { useState } from 'preact/hooks'
import { usePage } from './context.js'

export function TokenForm({ reason }: { reason: string }) {
  const { client, live } = usePage()
  const [token, setToken] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    client.token = token.trim()
    live.start()
  }
  return (
    <form class="token" onSubmit={submit}>
      <h1>A token is needed</h1>
      <p>{reason}</p>
      <p>
        On the director, <code>lvsd token add NAME --role read</code> makes one; with{' '}
        <code>--role operate</code> one that may also drain, enable and reload. The token is kept for this tab
        only.
      </p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          value={token}
          onInput={event => setToken(event.currentTarget.value)}
        />
      </label>
      <div class="actions">
        <button type="submit" class="main" disabled={token.trim() === ''}>
          Open
        </button>
      </div>
    </form>
  )
}
