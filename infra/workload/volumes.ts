import { OPENBAO_AUDIENCE } from '../names.ts'

export interface Mounted {
  readonly volume: Record<string, unknown> & { readonly name: string }
  readonly mount: { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }
}

/** A Secret as files that only the pod's own group may read. */
export const secretFiles = (name: string, secretName: string, mountPath: string): Mounted => ({
  volume: { name, secret: { secretName, defaultMode: 0o440 } },
  mount: { name, mountPath, readOnly: true },
})

export const configFiles = (name: string, configMap: string, mountPath: string): Mounted => ({
  volume: { name, configMap: { name: configMap } },
  mount: { name, mountPath, readOnly: true },
})

export const scratch = (name: string, mountPath: string, sizeLimit = '64Mi'): Mounted => ({
  volume: { name, emptyDir: { sizeLimit } },
  mount: { name, mountPath },
})

/** A token that the secret store accepts and the API server does not; the kubelet renews it. */
export const openbaoToken = (): Mounted => ({
  volume: {
    name: 'openbao-token',
    projected: {
      defaultMode: 0o440,
      sources: [
        {
          serviceAccountToken: {
            audience: OPENBAO_AUDIENCE,
            expirationSeconds: 600,
            path: 'token',
          },
        },
      ],
    },
  },
  mount: { name: 'openbao-token', mountPath: '/var/run/secrets/palisade/openbao', readOnly: true },
})

/** What automounting puts there, for one container of several: the others then hold no token. */
export const apiServerToken = (): Mounted => ({
  volume: {
    name: 'api-token',
    projected: {
      defaultMode: 0o440,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  },
  mount: {
    name: 'api-token',
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    readOnly: true,
  },
})

export const volumesOf = (mounted: readonly Mounted[]) => mounted.map(({ volume }) => volume)
export const mountsOf = (mounted: readonly Mounted[]) => mounted.map(({ mount }) => mount)
