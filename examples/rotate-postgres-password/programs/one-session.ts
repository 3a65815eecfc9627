// Keeps the one session it opened at the start. Once that is ended it has none, and is not ready any more.
import pg from 'pg'
import { credential, serveReadiness, warmUp } from './config.ts'

const readiness = serveReadiness()
const login = credential()
await warmUp()
const client = new pg.Client(login)
client.on('error', (error) => {
  readiness.ready = false
  console.log(
    JSON.stringify({ user: login.user, lost: (error as { code?: string }).code ?? error.message }),
  )
})
await client.connect()
readiness.ready = true
for (let turn = 1; ; turn += 1) {
  try {
    await client.query('select 1')
    if (turn % 20 === 0) console.log(JSON.stringify({ user: login.user, queries: turn }))
  } catch {
    readiness.ready = false
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
}
