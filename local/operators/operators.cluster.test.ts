import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply } from '../cluster/apply.ts'
import { keyOf as keyIn, nameOf, type Manifest } from '../cluster/manifest.ts'
import { exec } from '../exec.ts'
import { NODE } from '../bare/layout.ts'
import { referencesPath } from '../images/ensure.ts'
import { cacheDir, kubeconfigPath, stateDir } from '../paths.ts'
import { KubeApi } from '../provider/kubernetes/api.ts'
import { connect } from '../provider/kubernetes/connect.ts'
import { describeKey, keyOf } from '../provider/kubernetes/object.ts'
import type { JsonMap } from '../provider/values.ts'
import { until } from '../steps.ts'
import { toolPath } from '../tools/path.ts'
import { ensureOperators, prepareForOperators } from './ensure.ts'
import { isOfOperators } from './harden.ts'
import { operatorManifests, type Phases } from './manifests.ts'
import { releasedManifests, SOURCES } from './sources.ts'

const NAMESPACE = 'operators-test'
const context = { note: () => undefined, signal: AbortSignal.timeout(600_000) }

let api: KubeApi
let images: Record<string, string>
let phases: Phases

const kubectl = async (...args: string[]) =>
  exec(await toolPath('kubectl'), ['--kubeconfig', kubeconfigPath(), ...args])

const make = (apiVersion: string, kind: string, name: string, spec: object): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
})

interface Status {
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

const read = async (manifest: Manifest): Promise<JsonMap> => {
  const live = await api.find(keyIn(manifest))
  if (!live) throw new Error(`${nameOf(manifest)} is not there`)
  return live
}

const becomes = async (manifest: Manifest, holds: (seen: Status) => boolean) => {
  await apply(api, manifest)
  return until(
    nameOf(manifest),
    async () => {
      const seen = (await read(manifest)) as Status
      return holds(seen) ? seen : undefined
    },
    { timeoutMs: 180_000 },
  )
}

const securityContext = {
  runAsNonRoot: true,
  runAsUser: 10001,
  fsGroup: 10001,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** What takes its time to come up: asked for at once, so that it comes up while other rules are tried. */
const slow = () => ({
  database: make('postgresql.cnpg.io/v1', 'Cluster', 'db', {
    instances: 1,
    imageName: images.postgres,
    storage: { size: '1Gi' },
    postgresql: { parameters: { 'pgaudit.log': 'role' } },
  }),
  prometheus: make('monitoring.coreos.com/v1', 'Prometheus', 'metrics', {
    replicas: 1,
    securityContext,
    version: '2.53.3',
    image: images.prometheus,
  }),
  alertmanager: make('monitoring.coreos.com/v1', 'Alertmanager', 'alerts', {
    replicas: 1,
    securityContext,
    version: '0.28.1',
    image: images.alertmanager,
  }),
})

const condition =
  (type: string) =>
  ({ status }: Status): boolean =>
    status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false

beforeAll(async () => {
  images = JSON.parse(await readFile(referencesPath(stateDir()), 'utf8'))
  const options = { cacheDir: cacheDir(), toolPath, signal: context.signal }
  const released = {
    certManager: await releasedManifests(SOURCES.certManager, options),
    cloudNativePg: await releasedManifests(SOURCES.cloudNativePg, options),
    prometheusOperator: await releasedManifests(SOURCES.prometheusOperator, options),
  }
  phases = operatorManifests(released, images, NODE.podCidr)
  api = new KubeApi(await connect({ kubeconfig: kubeconfigPath() }))
  await apply(api, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: NAMESPACE,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  })
  for (const manifest of Object.values(slow())) await apply(api, manifest)
})

afterAll(async () => {
  await kubectl('delete', 'namespace', NAMESPACE, '--wait=false')
  await api.close()
})

describe('ensureOperators', () => {
  const ensure = async () => {
    const options = {
      kubeconfig: kubeconfigPath(),
      images,
      cacheDir: cacheDir(),
      stateDir: stateDir(),
      podCidr: NODE.podCidr,
      toolPath,
      context,
    }
    return [await prepareForOperators(options), await ensureOperators(options)]
  }

  it('changes no resourceVersion when it runs again, and sends no definition', async () => {
    const all = Object.values(phases).flat()
    const versions = async () => {
      const seen = await Promise.all(all.map(read))
      return Object.fromEntries(
        // A Deployment's version also counts its status, which is not ours.
        seen.map((one) => {
          const { generation, resourceVersion } = one.metadata as Record<string, unknown>
          return [describeKey(keyOf(one)), one.kind === 'Deployment' ? generation : resourceVersion]
        }),
      )
    }
    const before = await versions()
    expect((await ensure())[0]).toBe('unchanged')
    expect(await versions()).toEqual(before)
  })

  it('puts back what somebody changed since, and that alone', async () => {
    const definition = ['crd', 'issuers.cert-manager.io']
    const enforce = 'pod-security.kubernetes.io/enforce'
    await kubectl('label', 'namespace', 'cnpg-system', '--overwrite', `${enforce}=privileged`)
    await kubectl(
      'patch',
      ...definition,
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/names/categories"}]',
    )
    const total = phases.namespaces.length + phases.definitions.length
    expect((await ensure())[0]).toBe(`2 of ${total} objects applied`)
    const label = `jsonpath={.metadata.labels.${enforce.replaceAll('.', '\\.')}}`
    expect(await kubectl('get', 'namespace', 'cnpg-system', '-o', label)).toBe('restricted')
    const names = await kubectl('get', ...definition, '-o', 'jsonpath={.spec.names.categories}')
    expect(names).toBe('["cert-manager"]')
    // The API server has the last word on a definition: the names that it accepts.
    await expect.poll(async () => (await ensure())[0], { timeout: 60_000 }).toBe('unchanged')
  })

  it('leaves no container of the three with an image from elsewhere', async () => {
    for (const namespace of ['cert-manager', 'cnpg-system', 'prometheus-operator']) {
      const list = await kubectl('-n', namespace, 'get', 'pods', '-o', 'jsonpath={..image}')
      for (const image of list.split(' ')) {
        // Of those that `make up` gives to the node before it asks for these pods.
        const [, name = image] = /^palisade\.local\/([^:]+):/.exec(image) ?? []
        expect({ name, isOfOperators: isOfOperators({ name }) }).toEqual({
          name,
          isOfOperators: true,
        })
      }
    }
  })
})

describe('cert-manager', () => {
  it('issues a certificate from a CA issuer', async () => {
    await apply(api, make('cert-manager.io/v1', 'Issuer', 'root', { selfSigned: {} }))
    await apply(api, make('cert-manager.io/v1', 'Issuer', 'ca', { ca: { secretName: 'ca' } }))
    const ca = make('cert-manager.io/v1', 'Certificate', 'ca', {
      isCA: true,
      commonName: 'ca',
      secretName: 'ca',
      privateKey: { algorithm: 'ECDSA', size: 256 },
      issuerRef: { name: 'root' },
    })
    await becomes(ca, condition('Ready'))
    const leaf = make('cert-manager.io/v1', 'Certificate', 'leaf', {
      dnsNames: ['leaf.test'],
      secretName: 'leaf',
      issuerRef: { name: 'ca' },
    })
    await becomes(leaf, condition('Ready'))
  })

  it('refuses through its webhook a Certificate that names nobody', async () => {
    const empty = make('cert-manager.io/v1', 'Certificate', 'nobody', {
      secretName: 'nobody',
      issuerRef: { name: 'ca' },
    })
    await expect(apply(api, empty)).rejects.toThrow(/admission webhook/)
  })
})

describe('CloudNativePG', () => {
  it('brings up one instance from our image on the default StorageClass', async () => {
    await becomes(slow().database, ({ status }) => status?.phase === 'Cluster in healthy state')
    const asked = ['exec', '-n', NAMESPACE, 'db-1', '-c', 'postgres', '--', 'psql', '-Atc']
    expect(await kubectl(...asked, 'show server_version')).toMatch(/^17\./)
    expect(await kubectl(...asked, 'show shared_preload_libraries')).toContain('pgaudit')
  })
})

describe('prometheus-operator', () => {
  it('brings up Prometheus and Alertmanager from our images', async () => {
    const { prometheus, alertmanager } = slow()
    await becomes(prometheus, condition('Available'))
    await becomes(alertmanager, condition('Available'))
  })
})

describe('network policies of the operators', () => {
  const attempt = async (host: string, port: number) => {
    const script = `require('net').connect(${port}, '${host}').setTimeout(4000, () => process.exit(7)).on('connect', () => process.exit(0)).on('error', () => process.exit(8))`
    const pod = {
      ...make('v1', 'Pod', `to-${port}-${crypto.randomUUID().slice(0, 8)}`, {}),
      spec: {
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'client',
            image: images.control,
            args: ['-e', script],
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      },
    }
    const done = await becomes(pod, ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''))
    return done.status?.phase
  }

  const podAddress = async (namespace: string, selector: string) =>
    kubectl(
      '-n',
      namespace,
      'get',
      'pods',
      '-l',
      selector,
      '-o',
      'jsonpath={.items[0].status.podIP}',
    )

  it('refuses a pod of another namespace at the metrics of cert-manager', async () => {
    const host = await podAddress('cert-manager', 'app=cert-manager')
    expect(await attempt(host, 9402)).toBe('Failed')
  })

  it('lets the same pod through where no policy forbids, so that the refusal means something', async () => {
    const host = await podAddress(NAMESPACE, 'prometheus=metrics')
    // A Pod that has just come up on a busy machine may get its answer too late.
    await expect.poll(() => attempt(host, 9090), { timeout: 120_000 }).toBe('Succeeded')
  })
})
