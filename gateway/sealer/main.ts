import { createServer } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { verifierText } from '#core/audit/note'
import { systemClock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { VaultClient } from '../keys/vault-client.ts'
import { VaultKv } from '../keys/vault-kv.ts'
import { evidenceLog, makeLog } from '../observe/log.ts'
import { readSealerConfig } from './config.ts'
import { SealerMetrics } from './metrics.ts'
import { macKeyFrom } from './mac-key.ts'
import { objectStoreSink } from './object-checkpoints.ts'
import { operations } from './operations.ts'
import { Sealer } from './sealer.ts'
import { Rest } from './rest.ts'
import { runSelfChecks } from './self-checks.ts'
import { vaultSigner, vaultSink } from './vault-checkpoints.ts'

const config = await readSealerConfig().catch((error: unknown) => {
  if (!(error instanceof PalisadeError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
const logger = makeLog({ level: config.logLevel, service: 'sealer' })
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
// Who has mended the log, or fears for it, need not wait for hours: docs/runbooks/AuditChainBroken.md.
const rest = new Rest()
process.on('SIGHUP', () => rest.cutShort())

const metrics = new SealerMetrics()
const vault = new VaultClient(config.vault, config.tls.ca, systemClock)
let ready = () => ({ ok: false, reason: 'waiting for the key of checkpoints' })
const { cert, key } = config.tls
const server = createServer(
  { cert, key, minVersion: 'TLSv1.2' },
  operations(metrics.registry, () => ready()),
)
server.listen(config.port)

/** Vault may come up after us; until then nothing can be signed, so nothing is sealed. */
async function signerWhenThere() {
  while (!stop.signal.aborted) {
    try {
      return await vaultSigner(vault, config.log)
    } catch (error) {
      const detail = error instanceof PalisadeError ? error.detail : 'no answer'
      logger.warn({ detail }, 'Waiting for the key of checkpoints')
      await pause(2_000, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  return undefined
}

const signer = await signerWhenThere()
if (signer) {
  // Whoever verifies the log needs the public key from somewhere else than the database.
  const { name, publicKey } = signer
  const evidence = evidenceLog(logger)
  evidence.info({ log: config.log, verifier: verifierText(name, publicKey) }, 'Sealing')
  const readSigners = async () => [await vaultSigner(vault, config.log)]
  const sealer = new Sealer({
    database: config.database,
    log: config.log,
    signers: [signer],
    readSigners,
    records: { clock: systemClock, macKey: () => macKeyFrom(new VaultKv(vault, 'platform')) },
    sinks: [
      vaultSink(vault),
      ...(config.objectStore ? [objectStoreSink(config.objectStore, config.log)] : []),
    ],
    evidence,
    metrics,
    logger,
    clock: systemClock,
  })
  ready = () => sealer.ready()
  const { database } = config
  const parts = { database, signers: [signer], readSigners, metrics, logger, clock: systemClock }
  await Promise.all([sealer.run(stop.signal), runSelfChecks({ ...parts, rest }, stop.signal)])
}
await vault.close()
await config.objectStore?.close()
server.close()
server.closeAllConnections()
