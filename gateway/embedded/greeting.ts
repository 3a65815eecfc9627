import type { EmbeddedConfig } from './config.ts'
import type { FirstUser } from './first-user.ts'

export interface Greeting {
  readonly config: EmbeddedConfig
  readonly firstUser: FirstUser
  readonly logFile: string
  readonly tookMs: number
}

/** What a person needs to go on, and what this is not. No secret is printed: terminals are logged, too. */
export function greeting({ config, firstUser, logFile, tookMs }: Greeting): string {
  const { host, port, operationsPort, dataDirectory, databaseUrl } = config
  const base = `http://${host}:${port}`
  const database =
    databaseUrl === undefined ? 'embedded PostgreSQL' : 'the database of DATABASE_URL'
  return `
Palisade gateway, embedded: ${base} (ready after ${(tookMs / 1000).toFixed(1)} s, ${database})
  metrics and probes   http://${host}:${operationsPort}/metrics  /livez  /readyz
  data                 ${dataDirectory}
  log                  ${logFile}
  user                 ${firstUser.email}, password in ${firstUser.loginFile} (mode 0600)

Not for production:
  - keys come from the file ${dataDirectory}/key; whoever reads it reads every secret
  - no TLS, so it listens on loopback unless --listen says otherwise
  - the development login has no second factor; limits are counted in this process alone
  - audit checkpoints lie in ${dataDirectory}/audit: they show accidents, not an intruder who holds this machine

Try:
  TOKEN=$(curl -s ${base}/api/v1/auth/login -H 'content-type: application/json' \\
    --data @${firstUser.loginFile} | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
  curl -s -X PUT ${base}/api/secrets/greeting -H "authorization: Bearer $TOKEN" \\
    -H 'content-type: application/json' --data '{"value":"hello"}'
  curl -s ${base}/api/secrets/greeting -H "authorization: Bearer $TOKEN"
`
}
