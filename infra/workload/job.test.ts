import { describe, expect, it } from 'vitest'
import { edgeDeployment } from '../edge/deployment.ts'
import { openbaoStatefulSet } from '../openbao/stateful-set.ts'
import { redisStatefulSet } from '../redis/stateful-set.ts'
import { jobSpec } from './job.ts'

const job = (usesApi = false) =>
  jobSpec({ app: 'migrate', image: 'a:1', args: ['migrate'], serviceAccount: 'migrate', usesApi })

const openbao = (replicas: number) => {
  const wish = {
    image: 'a:1',
    controlImage: 'a:1',
    storage: '1Gi',
    seal: 'static',
    replicas,
  } as const
  return openbaoStatefulSet(wish).template.spec
}

const PODS = {
  job: job().template.spec,
  redis: redisStatefulSet({ image: 'a:1', storage: '1Gi', configDigest: 'x' }).template.spec,
  openbao: openbao(1),
  'openbao of three': openbao(3),
  edge: edgeDeployment({ image: 'a:1', replicas: 1, exposure: 'NodePort', configDigest: 'x' })
    .template.spec,
}

describe.each(Object.entries(PODS))('the pod of %s', (name, pod) => {
  it('runs as a numeric user with no right to become another', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 })
    const containers = [...pod.containers, ...('initContainers' in pod ? pod.initContainers : [])]
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  })

  it('has a bound on memory in every container', () => {
    for (const { resources } of pod.containers) expect(resources.limits.memory).toMatch(/^\d+Mi$/)
  })

  it('holds a token of the API server only where it asks it something', () => {
    expect(pod.automountServiceAccountToken).toBe(false)
    const volumes = (pod.volumes as readonly { readonly name: string }[]).map((one) => one.name)
    expect(volumes.includes('api-token')).toBe(name.startsWith('openbao'))
  })
})

describe('jobSpec', () => {
  it('gives the token to a Job that makes Secrets', () => {
    expect(job(true).template.spec.automountServiceAccountToken).toBe(true)
  })

  it('ends by itself when it cannot succeed', () => {
    expect(job().activeDeadlineSeconds).toBe(900)
  })
})

describe('edgeDeployment', () => {
  it('opens ports of the node only where the stack says HostPort', () => {
    expect(JSON.stringify(PODS.edge)).not.toContain('hostPort')
    const onHost = edgeDeployment({
      image: 'a:1',
      replicas: 1,
      exposure: 'HostPort',
      configDigest: 'x',
    })
    expect(onHost.template.spec.containers[0]?.ports).toEqual([
      { name: 'http', containerPort: 8080, hostPort: 8080 },
      { name: 'https', containerPort: 8443, hostPort: 8443 },
    ])
  })
})
