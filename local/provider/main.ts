import { createRequire } from 'node:module'
import { explain } from '../errors.ts'
import { refuseBesideOfficial } from './official.ts'
import { Family } from './peer.ts'
import { serve } from './server.ts'
import { ProviderService } from './service.ts'

// Asked before anything is awaited: of a process whose parent ended, another one becomes the parent.
const starter = process.ppid

/**
 * Prints its port and serves until its standard input ends, so that it never outlives the process
 * that started it. The engine finds it by PULUMI_DEBUG_PROVIDERS=kubernetes:<port>.
 */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  refuseBesideOfficial(env.PATH ?? '')
  const sdk = createRequire(import.meta.url)('@pulumi/kubernetes/package.json') as {
    version: string
  }
  const service = new ProviderService({
    // The SDK's version, since the engine keeps it in the name of the default provider.
    version: sdk.version.replace(/^v/, ''),
    programDirectory: env.PALISADE_PROGRAM_DIRECTORY ?? process.cwd(),
    helm: env.PALISADE_HELM ?? 'helm',
    env,
  })
  const { port, close } = await serve(service, new Family(starter))
  process.stdin.resume().on('end', () => {
    service.cancel()
    close()
  })
  // The engine's handshake and the starter read exactly this line.
  process.stdout.write(`${port}\n`)
}

main(process.env).catch((error: unknown) => {
  console.error(explain(error))
  process.exitCode = 1
})
