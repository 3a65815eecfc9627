import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { DB_DIR, START_SECONDS = '0', HOSTNAME = 'consumer' } = process.env

/** Read once, as many programs do: what changes in the files afterwards is not seen. */
export function credential() {
  const field = (name: string) =>
    DB_DIR
      ? readFileSync(join(DB_DIR, name), 'utf8')
      : (process.env[`DB_${name.toUpperCase()}`] ?? '')
  return {
    user: field('username'),
    password: field('password'),
    host: field('host'),
    port: Number(field('port')),
    database: field('dbname'),
    ssl: { ca: readFileSync('/etc/ca/ca.crt', 'utf8') },
    application_name: HOSTNAME,
  }
}

/** A program that needs its time before it can serve. */
export const warmUp = () =>
  new Promise<void>((resolve) => setTimeout(resolve, Number(START_SECONDS) * 1000))

export function serveReadiness(): { ready: boolean } {
  const state = { ready: false }
  createServer((request, response) => {
    const ok = request.url === '/ready' && state.ready
    response.writeHead(ok ? 200 : 503).end()
  }).listen(8080)
  return state
}

process.on('SIGTERM', () => process.exit(0))
