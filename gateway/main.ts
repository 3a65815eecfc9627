import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { redactText } from '#core/redact'
import { gatewayLogLevel, readGatewayConfig } from './config.ts'
import { loadOrMakeDevelopmentUsers } from './keys/development-users.ts'
import { openVault } from './keys/open-vault.ts'
import { makeLog } from './observe/log.ts'
import { serve } from './serve.ts'
import { untilItWorks } from './retry.ts'

/**
 * `node gateway/main.ts` serves. `node gateway/main.ts development-login` prints, in profile dev, the body of the
 * login request for whoever may run a command in this pod.
 */
const clock = systemClock

try {
  const log = makeLog({ level: gatewayLogLevel(), service: 'palisade-gateway' })
  let vault: Awaited<ReturnType<typeof openVault>> | undefined
  const command = process.argv[2]
  const config = await readGatewayConfig(async (place) => {
    const opened = await openVault(place, clock)
    vault = opened
    if (command !== undefined) return {}
    return untilItWorks(
      log,
      'settings',
      async () => (await opened.kv.read('gateway/settings')) ?? {},
    )
  })
  if (!vault) throw new TypeError('the configuration was read without Vault')
  if (command === undefined) await serve({ config, vault, log, clock })
  else if (command === 'development-login') {
    const { login } = await loadOrMakeDevelopmentUsers(vault.kv, config.profile)
    process.stdout.write(`${login}\n`)
    await vault.client.close()
  } else {
    throw new PalisadeError('ERR_USAGE', `there is no command "${command}"`, {
      remedy: 'give none to serve, or development-login',
    })
  }
} catch (error) {
  const known = error instanceof PalisadeError
  const text = known ? error.message : String((error as Error).stack)
  process.stderr.write(`${redactText(text)}\n`)
  process.exit(1)
}
