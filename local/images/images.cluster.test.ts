import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layoutOf } from '../bare/layout.ts'
import { nodeContainerd } from '../bare/backend.ts'
import { exec } from '../exec.ts'
import { cacheDir, kubeconfigPath, stateDir } from '../paths.ts'
import { until } from '../steps.ts'
import { toolPath } from '../tools/path.ts'
import { ensureImages, imageStore, referencesPath } from './ensure.ts'
import { importImages } from './import.ts'

const NAMESPACE = 'images-test'
const context = { note: () => undefined, signal: AbortSignal.timeout(600_000) }

const kubectl = async (args: readonly string[], input = '') =>
  exec(await toolPath('kubectl'), ['--kubeconfig', kubeconfigPath(), ...args], { input })

/** As the charts run them: no right at all, nothing writable but what is mounted. */
const pod = (name: string, image: string, command: readonly string[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [{ name: 'scratch', emptyDir: {} }],
    containers: [
      {
        name: 'one',
        image,
        command,
        volumeMounts: ['/tmp', '/run', '/var/lib/nginx'].map((mountPath) => ({
          name: 'scratch',
          mountPath,
        })),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
})

const CASES: readonly [string, readonly string[], RegExp][] = [
  ['postgres', ['postgres', '--version'], /PostgreSQL\) 17\./],
  ['valkey', ['valkey-server', '--version'], /v=8\./],
  ['nginx', ['nginx', '-t'], /ModSecurity-nginx[\s\S]*test is successful/],
  ['openbao', ['bao', 'version'], /OpenBao v2\./],
  ['prometheus', ['prometheus', '--version'], /version 2\.53/],
  ['alertmanager', ['prometheus-alertmanager', '--version'], /version 0\.28/],
  ['control', ['node', '-p', 'process.version + process.getuid()'], /v24\.\d+\.\d+10001/],
]

let images: Record<string, string>

beforeAll(async () => {
  images = JSON.parse(await readFile(referencesPath(stateDir()), 'utf8'))
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } }
  await kubectl(['apply', '-f', '-'], JSON.stringify(namespace))
  const items = CASES.map(([name, command]) => pod(name, images[name] ?? '', command))
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
})

afterAll(() => kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']))

describe('images on the node', () => {
  it.each(CASES)('runs %s as a numeric user on a read-only root', async (name, _command, says) => {
    const get = ['-n', NAMESPACE, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}']
    const phase = await until(
      `the end of ${name}`,
      async () => /Succeeded|Failed/.exec(await kubectl(get))?.[0],
      { timeoutMs: 90_000 },
    )
    const log = await kubectl(['-n', NAMESPACE, 'logs', name])
    expect(log).toMatch(says)
    expect(phase).toBe('Succeeded')
  })

  it('sends nothing to a runtime that has every image', async () => {
    const folders = { cacheDir: cacheDir(), stateDir: stateDir() }
    const all = await ensureImages({ ...folders, toolPath, context })
    const containerd = await nodeContainerd(layoutOf(stateDir()))
    await importImages(all, imageStore(cacheDir()), containerd, context)
    expect(await importImages(all, imageStore(cacheDir()), containerd, context)).toEqual([])
  })
})
