// Logs in twice a second and counts; the server's log is the judge of what was refused.
import pg from 'pg'
import { credential, serveReadiness, warmUp } from './config.ts'

const readiness = serveReadiness()
const login = credential()
await warmUp()
let accepted = 0
let failed = 0
for (let turn = 1; ; turn += 1) {
  const client = new pg.Client(login)
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select current_user')
    accepted += 1
    readiness.ready = true
  } catch (error) {
    failed += 1
    readiness.ready = false
    console.log(
      JSON.stringify({ user: login.user, failed, code: (error as { code?: string }).code }),
    )
  } finally {
    await client.end().catch(() => undefined)
  }
  if (turn % 20 === 0) console.log(JSON.stringify({ user: login.user, accepted, failed }))
  await new Promise((resolve) => setTimeout(resolve, 500))
}
