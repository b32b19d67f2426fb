/** Asks for a token. */
import { useState } from 'preact/hooks'
import { usePage } from './context.js'

export function TokenForm() {
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
      {client.hasToken && (
        <p class="note alarm" role="alert">
          The director does not know the token of this tab: it is mistyped, revoked or expired.
        </p>
      )}
      <p>On the director, as root, this makes one and prints it once:</p>
      <pre>lvsd token add NAME --role read</pre>
      <p>
        To drain, enable and reload as well, take <code>--role operate</code>. The page keeps the token until
        this tab is closed.
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
