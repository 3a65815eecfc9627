import { compose, type Composition } from '../../operator/compose.ts'
import { readConfig } from '../../operator/config.ts'
import { silentLogger } from '../../operator/runtime/types.ts'
import type { RotationWorld } from './rotation-world.ts'

/** The parts of an operator that leads, in this process: passes are made by the test. */
export const composeIn = ({ files, bao }: RotationWorld): Promise<Composition> =>
  compose(
    readConfig({
      PALISADE_PROFILE: 'dev',
      PALISADE_CLUSTER_ID: 'test',
      KUBECONFIG: files.kubeconfig,
      PALISADE_TLS_DIR: files.tlsDir,
      PALISADE_VAULT_ADDR: bao.address,
      PALISADE_VAULT_TOKEN_PATH: files.vaultToken,
    }),
    silentLogger,
    () => true,
  )
