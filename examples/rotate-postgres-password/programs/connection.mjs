import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { DB_DIR, START_SECONDS = '0' } = process.env

/** Read once, as many programs do: what changes in the files afterwards is not seen. */
export function credential() {
  const field = (name) =>
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
    application_name: process.env.HOSTNAME,
  }
}

/** A program that needs its time before it can serve. */
export const warmUp = () =>
  new Promise((resolve) => setTimeout(resolve, Number(START_SECONDS) * 1000))

export function serveReadiness() {
  const state = { ready: false }
  createServer((request, response) => {
    const ok = request.url === '/ready' && state.ready
    response.writeHead(ok ? 200 : 503).end()
  }).listen(8080)
  return state
}

process.on('SIGTERM', () => process.exit(0))
