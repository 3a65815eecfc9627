import type { StackConfig } from '../config/schema.ts'
import { SECRETS } from '../names.ts'
import { type Mounted, secretFiles } from '../workload/volumes.ts'

const DIRECTORY = '/etc/palisade/seal'

export type SealWish = Pick<
  StackConfig['openbao'],
  'seal' | 'transit' | 'awskms' | 'gcpckms' | 'azurekeyvault'
>

const described = <T>(seal: string, section: T | undefined): T => {
  if (section !== undefined) return section
  throw new Error(`openbao.${seal} is missing, which the rules of the configuration refuse`)
}

/** What opens the store at each start. It names files, keys and identities; no value is in it. */
export const sealStanza = (wish: SealWish): Readonly<Record<string, object>> => {
  switch (wish.seal) {
    case 'static':
      return { static: { current_key_id: 'local-1', current_key: `file://${DIRECTORY}/key` } }
    case 'transit': {
      const { address, keyName, mountPath } = described(wish.seal, wish.transit)
      // The token comes by an environment variable of the container: here it would lie in a ConfigMap.
      const key = { address, key_name: keyName, mount_path: mountPath }
      return { transit: { ...key, tls_ca_cert: `${DIRECTORY}/ca.crt` } }
    }
    case 'awskms': {
      const { region, keyId } = described(wish.seal, wish.awskms)
      return { awskms: { region, kms_key_id: keyId } }
    }
    case 'gcpckms': {
      const { project, region, keyRing, cryptoKey } = described(wish.seal, wish.gcpckms)
      return { gcpckms: { project, region, key_ring: keyRing, crypto_key: cryptoKey } }
    }
    case 'azurekeyvault': {
      const { tenantId, vaultName, keyName } = described(wish.seal, wish.azurekeyvault)
      return {
        azurekeyvault: { tenant_id: tenantId, vault_name: vaultName, key_name: keyName },
      }
    }
  }
}

/** Who the pods are to the cloud: its own webhook turns these into a token that it accepts. */
export const cloudIdentity = (
  wish: SealWish,
): {
  readonly annotations: Readonly<Record<string, string>>
  readonly podLabels: Readonly<Record<string, string>>
} => {
  switch (wish.seal) {
    case 'static':
    case 'transit':
      return { annotations: {}, podLabels: {} }
    case 'awskms': {
      const { roleArn } = described(wish.seal, wish.awskms)
      return { annotations: { 'eks.amazonaws.com/role-arn': roleArn }, podLabels: {} }
    }
    case 'gcpckms': {
      const { serviceAccount } = described(wish.seal, wish.gcpckms)
      return { annotations: { 'iam.gke.io/gcp-service-account': serviceAccount }, podLabels: {} }
    }
    case 'azurekeyvault': {
      const { clientId } = described(wish.seal, wish.azurekeyvault)
      return {
        annotations: { 'azure.workload.identity/client-id': clientId },
        podLabels: { 'azure.workload.identity/use': 'true' },
      }
    }
  }
}

/** The Secret that the seal needs, by name: made in the cluster for `static`, brought by you for `transit`. */
export const sealFiles = (wish: SealWish): readonly Mounted[] => {
  switch (wish.seal) {
    case 'static':
      return [secretFiles('seal', SECRETS.sealKey, DIRECTORY)]
    case 'transit': {
      const { secret } = described(wish.seal, wish.transit)
      const items = [{ key: 'ca.crt', path: 'ca.crt' }]
      return [
        {
          volume: { name: 'seal', secret: { secretName: secret, defaultMode: 0o440, items } },
          mount: { name: 'seal', mountPath: DIRECTORY, readOnly: true },
        },
      ]
    }
    case 'awskms':
    case 'gcpckms':
    case 'azurekeyvault':
      return []
  }
}

interface FromSecret {
  readonly name: string
  readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
}

export const sealEnvironment = (wish: SealWish): readonly FromSecret[] =>
  wish.seal === 'transit'
    ? [
        {
          name: 'VAULT_TRANSIT_SEAL_TOKEN',
          valueFrom: {
            secretKeyRef: { name: described(wish.seal, wish.transit).secret, key: 'token' },
          },
        },
      ]
    : []
