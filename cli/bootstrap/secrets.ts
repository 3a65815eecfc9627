import { ApiException, CoreV1Api, KubeConfig, type V1Secret } from '@kubernetes/client-node'

export interface SecretPlace {
  readonly namespace: string
  readonly name: string
}
type Data = Readonly<Record<string, Buffer>>

/** The two or three acts on Secrets that making a first credential needs. */
export interface Secrets {
  /** Undefined when the Secret is there already: whoever came first is right. */
  create(place: SecretPlace, data: Data): Promise<'created' | 'exists'>
  read(place: SecretPlace): Promise<Data>
  replace(place: SecretPlace, data: Data): Promise<void>
}

export const clusterSecrets = (): Secrets => {
  const config = new KubeConfig()
  config.loadFromCluster()
  const api = config.makeApiClient(CoreV1Api)
  return {
    async create(place, data) {
      try {
        await api.createNamespacedSecret({
          namespace: place.namespace,
          body: manifest(place, data),
        })
        return 'created'
      } catch (error) {
        if (error instanceof ApiException && error.code === 409) return 'exists'
        throw error
      }
    },
    async read(place) {
      const { data = {} } = await api.readNamespacedSecret(place)
      return Object.fromEntries(
        Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
      )
    },
    async replace(place, data) {
      await api.patchNamespacedSecret({
        ...place,
        body: [{ op: 'replace', path: '/data', value: encoded(data) }],
      })
    },
  }
}

const encoded = (data: Data): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('base64')]))

const manifest = ({ namespace, name }: SecretPlace, data: Data): V1Secret => ({
  metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'palisade' } },
  type: 'Opaque',
  data: encoded(data),
})
