import { nameOf, namespaceOf } from '../kubernetes/object.ts'
import { at, isMap, type Json, type JsonMap } from '../values.ts'
import { READY, waiting, type Check } from './readiness.ts'

const hasAddress = (live: JsonMap): boolean => {
  const ingress = at(live, ['status', 'loadBalancer', 'ingress'])
  return Array.isArray(ingress) && ingress.length > 0
}

const isReadyEndpoint = (endpoint: Json): boolean =>
  isMap(endpoint) && at(endpoint, ['conditions', 'ready']) !== false

/** A Service waits for one pod behind it, where it selects pods by itself and balances over them. */
export const service: Check = async (live, api) => {
  const type = at(live, ['spec', 'type'])
  if (type === 'LoadBalancer' && !hasAddress(live)) return waiting('no load balancer address yet')
  const selector = at(live, ['spec', 'selector'])
  const selects = isMap(selector) && Object.keys(selector).length > 0
  if (type === 'ExternalName' || at(live, ['spec', 'clusterIP']) === 'None' || !selects)
    return READY
  const slices = await api.list(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    namespaceOf(live) ?? '',
    `kubernetes.io/service-name=${nameOf(live) ?? ''}`,
  )
  const serves = slices.some(
    (slice) => Array.isArray(slice.endpoints) && slice.endpoints.some(isReadyEndpoint),
  )
  return serves ? READY : waiting('no ready pod behind it yet')
}

export const ingress: Check = (live) =>
  hasAddress(live) ? READY : waiting('no address from an ingress controller yet')
