import { describe, expect, it } from 'vitest'
import { openbaoStatefulSet } from './stateful-set.ts'

const podOf = (replicas: number) =>
  openbaoStatefulSet({
    image: 'a:1',
    controlImage: 'a:1',
    storage: '1Gi',
    seal: 'static',
    replicas,
  }).template.spec

const chooser = () => {
  const pod = podOf(3)
  const [container] = 'initContainers' in pod ? pod.initContainers : []
  return container?.volumeMounts ?? []
}
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount'

describe('the container that chooses how a node starts', () => {
  it('sees of the TLS files the certificate of the authority alone', () => {
    expect(chooser().filter(({ name }) => name === 'tls')).toEqual([
      {
        name: 'tls',
        mountPath: '/etc/palisade/tls/ca.crt',
        subPath: 'ca.crt',
        readOnly: true,
      },
    ])
  })

  it('looks at the data and writes none', () => {
    expect(chooser()).toContainEqual({ name: 'data', mountPath: '/data', readOnly: true })
  })

  it.each([1, 3])('of %i nodes the server alone holds a token of the API server', (replicas) => {
    const pod = podOf(replicas)
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(chooser().map(({ mountPath }) => mountPath)).not.toContain(TOKEN)
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: 'api-token',
      mountPath: TOKEN,
      readOnly: true,
    })
    expect(pod.volumes.map(({ name }) => name)).toContain('api-token')
  })
})
